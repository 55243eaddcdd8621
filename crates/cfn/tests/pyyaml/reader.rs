//! Asks PyYAML, which reads YAML 1.1 as CloudFormation's own tools do.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Fails unless PyYAML reads each YAML text as the JSON text says. The triples: a name, YAML, JSON.
pub(crate) fn agrees(triples: &[(&str, &str, &str)]) -> Result<(), String> {
    compare("yaml", triples)
}

/// Fails unless each text, read as `yaml` or as a `template`, is what the JSON text says: with every difference.
pub(crate) fn compare(reading: &str, triples: &[(&str, &str, &str)]) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(|folder| {
        let script = folder.join("crates/cfn/tests/pyyaml/read.py");
        script.is_file().then_some(script)
    });
    let mut child = Command::new(python()?)
        .arg(script.expect("the script is in the project"))
        .arg(reading)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let input = serde_json::to_string(triples).expect("JSON");
    child.stdin.take().expect("standard input").write_all(input.as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The Python that has PyYAML: that of the variable `PYTHON`, that of `make venv`, or `python3`.
fn python() -> Result<PathBuf, String> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let candidates: Vec<PathBuf> = match std::env::var_os("PYTHON") {
        Some(python) => vec![python.into()],
        None => folders
            .map(|folder| folder.join(".venv/bin/python"))
            .filter(|python| python.is_file())
            .chain([PathBuf::from("python3")])
            .collect(),
    };
    let has_yaml = |python: &PathBuf| {
        let tried = Command::new(python).args(["-c", "import yaml"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    candidates.iter().find(|python| has_yaml(python)).cloned().ok_or_else(|| {
        format!(
            "no Python with PyYAML among {candidates:?}: run `make venv`, or set PYTHON to one that has it"
        )
    })
}
