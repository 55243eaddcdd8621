//! What every AWS SDK and the typed CloudFormation are built on has the same features in programs and in tests, so that none is compiled twice: for the
//! demo and the functions of the emulator, and again for the tests.
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
fn what_the_sdks_are_built_on_is_compiled_once() {
    let sdks: Vec<String> = features("normal", &["--workspace".into()])
        .into_keys()
        .filter(|package| package.starts_with("aws-") || package.starts_with("lambda_runtime "))
        .map(|package| package.replace(" v", "@"))
        .collect();
    assert!(sdks.len() > 15, "{sdks:?}");
    let sdks: Vec<String> = sdks.into_iter().flat_map(|sdk| ["--package".to_owned(), sdk]).collect();
    let mut below = features("normal,build", &sdks);
    // Cargo takes either members of the workspace or others.
    below.extend(features("normal,build", &["--package".into(), "cfn".into()]));

    let programs = features("normal,build", &["--workspace".into()]);
    let tests = features("normal,build,dev", &["--workspace".into()]);
    let differ: Vec<String> = below
        .keys()
        .filter(|package| programs.get(*package) != tests.get(*package))
        .map(|package| {
            format!("{package}: programs {:?}, tests {:?}", programs.get(package), tests.get(package))
        })
        .collect();
    assert_eq!(differ, Vec::<String>::new(), "add the missing features to tests/system/Cargo.toml");
}

fn features(edges: &str, selection: &[String]) -> Features {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}", "--edges", edges]);
    let output = command
        .args(selection)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = Features::new();
    for line in String::from_utf8(output.stdout).expect("cargo writes UTF-8").lines() {
        let Some((package, of)) = line.split_once('|') else { continue };
        // Members, and marks: `name v1.2.3 (proc-macro)`, and `(*)` behind what was shown before.
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        if words.next().is_some_and(|word| word.starts_with("(/")) {
            continue;
        }
        let of = of.trim_end_matches(" (*)").to_owned();
        features.entry(format!("{name} {version}")).or_default().insert(of);
    }
    features
}
