//! Checks that CloudFormation would make, made before it sees the template.

use std::fmt;

use serde_json::Value as Json;

use crate::circle::{self, Needs};
use crate::defaults;
use crate::document::{Document, ResourceEntry};
use crate::error::{Section, TemplateError};
use crate::functions::{self, Place};
use crate::number::{self, Fraction};
use crate::path::At;
use crate::resolve;
#[cfg(feature = "stepfunctions")]
use crate::substitutions;

/// The limits of CloudFormation.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_RESOURCES: usize = 500;
const MAX_OUTPUTS: usize = 200;
const MAX_PARAMETERS: usize = 200;
const MAX_MAPPINGS: usize = 200;
const MAX_NAME_CHARS: usize = 255;
const MAX_DESCRIPTION_BYTES: usize = 1_024;
/// The largest template that can be deployed from S3; 51,200 bytes if it is passed in the request.
pub(crate) const MAX_TEMPLATE_BYTES: usize = 1_000_000;

/// Something that CloudFormation would refuse, and its path.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) at: String,
    pub(crate) error: TemplateError,
}

/// Everything wrong with a document, in the order in which it is looked at.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Found>);

impl Findings {
    pub(crate) fn add(&mut self, at: &dyn fmt::Display, error: TemplateError) {
        self.0.push(Found { at: at.to_string(), error });
    }

    pub(crate) fn into_vec(self) -> Vec<Found> {
        self.0
    }
}

/// A part of the template in which intrinsic functions may stand.
pub(crate) struct Part<'a> {
    pub(crate) at: At<'a>,
    pub(crate) json: &'a Json,
    pub(crate) place: Place,
}

/// Checks everything but the size of the text, and says what depends on what.
pub(crate) fn check(document: &Document) -> Result<Needs, TemplateError> {
    let (needs, findings) = find(document);
    match findings.into_vec().into_iter().next() {
        Some(first) => Err(first.error),
        None => Ok(needs),
    }
}

/// What depends on what, and everything that is wrong except the size of the text.
pub(crate) fn find(document: &Document) -> (Needs, Findings) {
    let mut findings = Findings::default();
    counts(document, &mut findings);
    names(document, &mut findings);
    parts(document, &mut |part| {
        if values(&part.at, part.json, &mut findings) == Noted::Fraction {
            // The note of a fraction looks like a function that nobody knows.
            return;
        }
        functions::check(part.place, &part.at, part.json, &mut |at, misfit| {
            let function = misfit.function.to_owned();
            let error = TemplateError::BadFunction { at: at.to_string(), function, reason: misfit.reason };
            findings.add(at, error);
        });
        resolve::part(document, part, &mut findings);
    });
    resolve::options(document, &mut findings);
    defaults::check(document, &mut findings);
    #[cfg(feature = "stepfunctions")]
    substitutions::check(document, &mut findings);
    let needs = resolve::needs_of_resources(document);
    for path in circle::find(&needs) {
        findings.add(&"Resources", TemplateError::Cycle { path });
    }
    for path in circle::find(&resolve::needs_of_conditions(document)) {
        findings.add(&"Conditions", TemplateError::ConditionCycle { path });
    }
    (needs, findings)
}

fn counts(document: &Document, findings: &mut Findings) {
    let given = document.description.len();
    if given > MAX_DESCRIPTION_BYTES {
        let allowed = MAX_DESCRIPTION_BYTES;
        findings.add(&"Description", TemplateError::LongDescription { given, allowed });
    }
    if document.resources.is_empty() {
        findings.add(&"Resources", TemplateError::Empty);
    }
    for (section, given, allowed) in [
        (Section::Resources, document.resources.len(), MAX_RESOURCES),
        (Section::Outputs, document.outputs.len(), MAX_OUTPUTS),
        (Section::Parameters, document.parameters.len(), MAX_PARAMETERS),
        (Section::Mappings, document.mappings.len(), MAX_MAPPINGS),
    ] {
        if given > allowed {
            findings.add(&section, TemplateError::TooMany { section, given, allowed });
        }
    }
}

fn names(document: &Document, findings: &mut Findings) {
    let sections = [
        (Section::Parameters, &document.parameters),
        (Section::Rules, &document.rules),
        (Section::Mappings, &document.mappings),
        (Section::Conditions, &document.conditions),
        (Section::Outputs, &document.outputs),
    ];
    let named = sections.iter().flat_map(|(section, entries)| entries.keys().map(|name| (*section, name)));
    let resources = document.resources.keys().map(|name| (Section::Resources, name));
    for (section, name) in named.chain(resources) {
        // Conditions are names within the template only, so CloudFormation is not strict with them.
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || (section == Section::Conditions && c.is_ascii_graphic());
        let macro_loop = functions::needs_transform(name);
        if let Some(reason) = macro_loop {
            let (at, function) = (section.to_string(), name.clone());
            findings.add(&section, TemplateError::BadFunction { at, function, reason });
        } else if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(allowed) {
            let error = TemplateError::BadName { section, name: name.clone() };
            findings.add(&format!("{section}.{name}"), error);
        }
    }
    for name in document.resources.keys().filter(|name| document.parameters.contains_key(*name)) {
        findings.add(&format!("Resources.{name}"), TemplateError::AmbiguousName { name: name.clone() });
    }
}

/// Shows every part of the template in which intrinsic functions may stand.
fn parts(document: &Document, show: &mut dyn FnMut(&Part<'_>)) {
    for (section, entries, place) in
        [("Conditions", &document.conditions, Place::Conditions), ("Rules", &document.rules, Place::Rules)]
    {
        for (name, json) in entries {
            show(&Part { at: At::root(section).name(name), json, place });
        }
    }
    for (id, entry) in &document.resources {
        let (root, place) = (At::root("Resources"), Place::Values);
        let resource = root.name(id);
        for (name, json) in entry.parts() {
            show(&Part { at: resource.name(name), json, place });
        }
    }
    for (name, json) in &document.outputs {
        show(&Part { at: At::root("Outputs").name(name), json, place: Place::Values });
    }
}

impl ResourceEntry {
    /// What CloudFormation computes before it makes the resource: references in it count.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &Json)> {
        let options = [
            ("Metadata", &self.metadata),
            ("CreationPolicy", &self.creation_policy),
            ("UpdatePolicy", &self.update_policy),
        ];
        let options = options.into_iter().filter_map(|(name, json)| Some((name, json.as_ref()?)));
        std::iter::once(("Properties", &self.properties)).chain(options)
    }
}

/// Whether something in a part notes that it is no whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Noted {
    Nothing,
    Fraction,
}

/// Finds nulls, and quantities that are no whole number.
fn values(at: &At<'_>, json: &Json, findings: &mut Findings) -> Noted {
    let mut noted = Noted::Nothing;
    match json {
        Json::Null => findings.add(at, TemplateError::Null { at: at.to_string() }),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                noted = noted.max(values(&at.index(index), item, findings));
            }
        }
        Json::Object(fields) => {
            if let Some(Fraction { given, unit }) = number::fraction(fields) {
                findings.add(at, TemplateError::Fraction { at: at.to_string(), given, unit });
                return Noted::Fraction;
            }
            for (name, value) in fields {
                noted = noted.max(values(&at.name(name), value, findings));
            }
        }
        _ => {}
    }
    noted
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::kind::{Bytes, Mebibytes, Seconds};
    use crate::property::Property as _;
    use crate::value::Value;

    #[test]
    fn every_fraction_of_a_unit_is_found_at_its_path() {
        let duration = Value::<Seconds>::from(Duration::from_millis(1_500)).into_json();
        let size = Value::<Mebibytes>::from(Bytes::kibibytes(1_500)).into_json();
        let whole = Value::<Seconds>::from(Duration::from_secs(1)).into_json();
        let found = |json: &Json| {
            let mut findings = Findings::default();
            let noted = values(&At::root("Queue"), json, &mut findings);
            (noted, findings.into_vec().into_iter().map(|found| found.at).collect::<Vec<_>>())
        };
        let both = json!({ "Sizes": [0, size], "Timeout": duration });
        assert_eq!(found(&both), (Noted::Fraction, vec!["Queue.Sizes[1]".into(), "Queue.Timeout".into()]));
        assert_eq!(found(&json!({ "Sizes": [0, whole] })), (Noted::Nothing, Vec::new()));
    }
}
