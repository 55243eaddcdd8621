//! Documentation of generated items.

use crate::facts::Property;
use crate::kinds::{feature_of, service_of, short};

const GUIDE: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide";

/// Text that rustdoc shows as it stands: no links, no tags.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            out.push_str(&format!("`{part}`"));
            continue;
        }
        for word in part.split_inclusive(' ') {
            if word.contains("://") || word.contains("www.") {
                out.push_str(&format!("`{}` ", word.trim_end()));
            } else {
                out.push_str(
                    &word.replace('[', "\\[").replace(']', "\\]").replace('<', "\\<").replace('*', "\\*"),
                );
            }
        }
    }
    out.trim().to_owned()
}

pub(crate) fn resource_link(resource_type: &str) -> String {
    let (service, name) = (feature_of(service_of(resource_type)), short(resource_type).to_lowercase());
    format!("{GUIDE}/aws-resource-{service}-{name}.html")
}

pub(crate) fn type_link(resource_type: &str, nested: &str) -> String {
    let (service, name) = (feature_of(service_of(resource_type)), short(resource_type).to_lowercase());
    format!("{GUIDE}/aws-properties-{service}-{name}-{}.html", nested.to_lowercase())
}

/// The documentation of a setter.
pub(crate) fn property(name: &str, property: &Property, page: &str) -> String {
    let mut text = format!("/// `{name}`");
    if let Some(doc) = &property.doc {
        text.push_str(": ");
        text.push_str(&clean(doc));
    }
    let mut notes = Vec::new();
    if let Some(unit) = &property.unit {
        notes.push(format!("In {unit}."));
    }
    if let Some(default) = &property.default {
        notes.push(format!("Default: `{}`.", default.replace(['`', '\n'], " ")));
    }
    if !property.refs.is_empty() {
        let refs: Vec<String> = property.refs.iter().map(|reference| format!("`{reference}`")).collect();
        notes.push(format!("Refers to {}.", refs.join(", ")));
    }
    match property.replace.as_deref() {
        Some("yes") => notes.push("An update replaces the resource.".to_owned()),
        Some(_) => notes.push("An update may replace the resource.".to_owned()),
        None => {}
    }
    if property.deprecated {
        notes.push("Deprecated by AWS.".to_owned());
    }
    let anchor = page.rsplit('/').next().unwrap_or_default().trim_end_matches(".html");
    let anchor = anchor.replacen("aws-resource-", "cfn-", 1).replacen("aws-properties-", "cfn-", 1);
    notes.push(format!("[AWS]({page}#{anchor}-{})", name.to_lowercase()));
    text.push_str("\n///\n/// ");
    text.push_str(&notes.join(" "));
    text.push('\n');
    text
}
