//! The committed templates are those that the typed stacks give: a reviewer sees what a change does to AWS.
#![forbid(unsafe_code)]

use infra_gen::{
    project,
    synth::{Change, FOLDER, FileState, Format, Prune, compare, emit},
};
use stacks::Stage;

#[test]
fn the_committed_templates_are_what_synth_writes() {
    let folder = project::root().expect("the tests run inside the project").join(FOLDER);
    let emitted = emit(Stage::ALL, Format::Yaml).expect("the stacks can be synthesised").files;
    let states = compare(&folder, &emitted, Prune::Of(&Stage::ALL)).expect("the folder can be read");
    let stale: Vec<String> = states.iter().filter(|state| state.differs()).map(describe).collect();
    assert!(stale.is_empty(), "{FOLDER} is stale: run `make synth` and commit it\n{}", stale.join("\n"));
}

fn describe(FileState { path, change }: &FileState) -> String {
    let path = path.display();
    match change {
        Change::Unchanged => format!("- {path} is as it should be"),
        Change::Missing => format!("- {path} is missing"),
        Change::Stale => format!("- {path} is not emitted any more"),
        Change::Changed { line, there, emitted } => {
            format!("- {path}:{line}\n    committed: {there}\n    emitted:   {emitted}")
        }
    }
}
