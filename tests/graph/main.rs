//! Every crate of others, and the typed CloudFormation, has the same features in programs and in tests, so that none is
//! compiled twice: for the demo and the functions of the emulator, and again for the tests.
//!
//! `cargo build --workspace --bins` and `cargo test --workspace` unite the features of what they build. Tests want more of
//! some crates; `tests/system`, which is in both, asks for these too.
#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// The features that each version of a crate is built with: for the target, and for build scripts.
type Features = BTreeMap<String, BTreeSet<String>>;

#[test]
fn what_programs_are_built_on_is_not_compiled_again_for_tests() {
    let programs = features("normal,build");
    let tests = features("normal,build,dev");
    assert!(
        programs.len() > 200 && programs.keys().any(|package| package.starts_with("cfn ")),
        "{programs:?}"
    );
    let differ: Vec<String> = programs
        .iter()
        .filter(|(package, features)| tests.get(*package) != Some(*features))
        .map(|(package, features)| {
            format!("{package}: programs {features:?}, tests {:?}", tests.get(package))
        })
        .collect();
    assert_eq!(differ, Vec::<String>::new(), "add the missing features to tests/system/Cargo.toml");
}

fn features(edges: &str) -> Features {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "tree",
        "--workspace",
        "--locked",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
        "--edges",
        edges,
    ]);
    let output =
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).output().expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = Features::new();
    for line in String::from_utf8(output.stdout).expect("cargo writes UTF-8").lines() {
        let Some((package, of)) = line.split_once('|') else { continue };
        // Members, and marks: `name v1.2.3 (proc-macro)`, and `(*)` behind what was shown before.
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        // Of the members only `cfn` takes long to compile.
        if name != "cfn" && words.next().is_some_and(|word| word.starts_with("(/")) {
            continue;
        }
        let of = of.trim_end_matches(" (*)").to_owned();
        features.entry(format!("{name} {version}")).or_default().insert(of);
    }
    features
}
