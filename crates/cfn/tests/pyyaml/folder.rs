//! Every template of a folder: it comes back as PyYAML reads it, or it is refused.
//!
//! The folder is `tests/cases`, and besides the one that the variable `CFN_CASES` names, at any depth. A case that has a
//! `.json` of its name beside it must be read as that says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cfn::{BuiltTemplate, LoadRemark, Template};

use crate::reader;

#[test]
fn every_case_comes_back_as_pyyaml_reads_it() {
    let held = hold(&cases(), Beside::Reading);
    assert_eq!(held.refused, BTreeMap::new());
    assert!(held.loaded > 10, "{} cases were loaded", held.loaded);
}

/// What is wrong with a case is in its first line: the start of one of its problems.
#[test]
fn every_refused_case_is_refused_with_its_reason() {
    let files = templates(&cases().join("refused"), Beside::Reading);
    assert!(!files.is_empty());
    for file in files {
        let text = read(&file);
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a reason");
        let error = Template::load(&text).err().unwrap_or_else(|| panic!("accepted: {}", file.display()));
        let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|problem| problem.starts_with(expected)), "{}: {said:#?}", file.display());
    }
}

#[test]
fn every_template_of_the_named_folder_comes_back_or_is_refused() {
    let Some(folder) = std::env::var_os("CFN_CASES").map(PathBuf::from) else { return };
    let held = hold(&folder, Beside::Template);
    for (file, reason) in &held.refused {
        println!("refused: {file}: {reason}");
    }
    for remark in &held.remarks {
        println!("remark: {remark}");
    }
    println!("{}: {} loaded, {} refused", folder.display(), held.loaded, held.refused.len());
}

/// What a `.json` beside a file in YAML of the same name is.
#[derive(Clone, Copy, PartialEq)]
enum Beside {
    /// How that file must be read.
    Reading,
    /// A template of its own.
    Template,
}

/// How a folder was held against PyYAML.
struct Held {
    loaded: usize,
    /// Why, by the name of the file.
    refused: BTreeMap<String, String>,
    /// What was read otherwise than it may have been meant.
    remarks: Vec<String>,
}

/// A text, and the JSON that was written of it.
struct Written {
    name: String,
    text: String,
    json: String,
}

/// Holds each template of the folder against PyYAML, and fails at those that it reads otherwise.
fn hold(folder: &Path, beside: Beside) -> Held {
    let files = templates(folder, beside);
    assert!(!files.is_empty(), "no .yaml, .yml, .json or .template in {}", folder.display());
    let mut held = Held { loaded: 0, refused: BTreeMap::new(), remarks: Vec::new() };
    let (mut read_ones, mut written_ones) = (Vec::new(), Vec::new());
    for file in files {
        let (name, text) = (file.display().to_string(), read(&file));
        match load(&text) {
            Ok((remarks, built)) => {
                held.loaded += 1;
                held.remarks.extend(remarks.iter().map(|remark| format!("{name}: {remark}")));
                comes_back(&name, &built);
                let json = built.to_json().to_owned();
                read_ones.extend(expected(&file, beside).map(|(name, text)| Written {
                    name,
                    text,
                    json: json.clone(),
                }));
                written_ones.push(Written {
                    name: name.clone(),
                    text: built.to_yaml().to_owned(),
                    json: json.clone(),
                });
                read_ones.push(Written { name, text, json });
            }
            Err(reason) => {
                held.refused.insert(name, reason);
            }
        }
    }
    for (reading, all) in [("template", read_ones), ("yaml", written_ones)] {
        let triples = all.iter().map(|one| (one.name.as_str(), one.text.as_str(), one.json.as_str()));
        let triples: Vec<(&str, &str, &str)> = triples.collect();
        if !triples.is_empty() {
            reader::compare(reading, &triples)
                .unwrap_or_else(|differences| panic!("{reading}: {differences}"));
        }
    }
    held
}

fn load(text: &str) -> Result<(Vec<LoadRemark>, BuiltTemplate), String> {
    let loaded = Template::load(text).map_err(|error| error.to_string())?;
    let remarks = loaded.remarks().to_vec();
    Ok((remarks, loaded.build().map_err(|error| error.to_string())?))
}

/// What was written of a template is read and written the same.
fn comes_back(name: &str, built: &BuiltTemplate) {
    for text in [built.to_yaml(), built.to_json()] {
        let (remarks, again) = load(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert_eq!(remarks, [], "{name}: of what was written there is nothing to be said");
        assert_eq!(again.to_yaml(), built.to_yaml(), "{name}");
        assert_eq!(again.to_json(), built.to_json(), "{name}");
    }
}

/// The name and the text of how a case must be read, if that is beside it.
fn expected(case: &Path, beside: Beside) -> Option<(String, String)> {
    let file = case.with_extension("json");
    let is_there = beside == Beside::Reading && file != case && file.is_file();
    is_there.then(|| (file.display().to_string(), read(&file)))
}

/// The templates in a folder and its folders, except what is refused on purpose, in the order of their paths.
fn templates(folder: &Path, beside: Beside) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry of the folder").path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "refused") {
            files.extend(templates(&path, beside));
        } else if is_template(&path, beside) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn is_template(path: &Path, beside: Beside) -> bool {
    let is = |extension: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension));
    let is_reading = || {
        beside == Beside::Reading && ["yaml", "yml"].iter().any(|yaml| path.with_extension(yaml).is_file())
    };
    path.is_file() && (is("yaml") || is("yml") || is("template") || (is("json") && !is_reading()))
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn cases() -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let cases = folders.map(|folder| folder.join("crates/cfn/tests/cases")).find(|cases| cases.is_dir());
    cases.expect("the cases are in the project")
}
