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
    let emitted = emit(stacks::synth, Stage::ALL, Format::Yaml).expect("the stacks can be synthesised").files;
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

/// The page of failures promises a test for each: a name in it that no test has is a broken promise.
#[test]
fn the_page_of_failures_names_tests_that_exist() {
    let root =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the project");
    let mut sources = String::new();
    for folder in ["checks", "crates", "functions", "gateway", "infra-gen", "sagas", "stacks", "tests"] {
        read_rust(&root.join(folder), &mut sources);
    }
    let page = std::fs::read_to_string(root.join("docs/failures.md")).expect("there is a page of failures");
    let quoted = page.split('`').skip(1).step_by(2).map(|name| name.rsplit("::").next().unwrap_or(name));
    let is_test = |name: &&str| name.len() >= 18 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let named: Vec<&str> = quoted.filter(is_test).collect();
    assert!(named.len() >= 30, "the page names only {named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/failures.md names tests that are not there: {missing:?}");
}

fn read_rust(folder: &std::path::Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() && !path.ends_with("node_modules") {
            read_rust(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).expect("a source file is text"));
        }
    }
}
