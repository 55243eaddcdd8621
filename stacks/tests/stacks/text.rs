//! The templates as text: every reader finds the same in it.

#[path = "../../../crates/cfn/tests/pyyaml/reader.rs"]
mod reader;

use crate::templates::app;
use cfn::Template;
use stacks::Stage;

#[test]
fn pyyaml_reads_each_template_as_its_json() {
    let apps = Stage::ALL.map(app);
    let triples: Vec<_> = apps
        .iter()
        .flat_map(|app| &app.stacks)
        .map(|stack| (stack.id, stack.template.to_yaml(), stack.template.to_json()))
        .collect();
    assert_eq!(triples.len(), 6);
    assert_eq!(reader::agrees(&triples), Ok(()));
}

#[test]
fn each_template_is_loaded_and_written_the_same() {
    for stage in Stage::ALL {
        for stack in app(stage).stacks {
            for text in [stack.template.to_yaml(), stack.template.to_json()] {
                let loaded =
                    Template::load(text).unwrap_or_else(|error| panic!("{stage} {}: {error}", stack.id));
                let again = loaded.build().unwrap_or_else(|error| panic!("{stage} {}: {error}", stack.id));
                assert!(
                    again.to_yaml() == stack.template.to_yaml(),
                    "{stage} {}: the YAML differs",
                    stack.id
                );
                assert!(
                    again.to_json() == stack.template.to_json(),
                    "{stage} {}: the JSON differs",
                    stack.id
                );
            }
        }
    }
}
