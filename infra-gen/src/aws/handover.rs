//! What a release takes away from a stack stays until the stacks behind it do without it.

use serde_json::Value as Json;

/// The sections that what is kept may refer to.
const REFERRED_TO: [&str; 3] = ["Parameters", "Conditions", "Mappings"];

/// A template that takes nothing away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keeping {
    pub(super) template: Json,
    /// What it keeps that the new template does not have: logical ids, and names of outputs that were exported.
    pub(super) kept: Vec<String>,
}

/// The new template with what only the deployed one has; none when it takes nothing away.
///
/// Exports are kept too: releases before this one had them, and an export can go only when no stack imports it.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>
pub(super) fn keeping(deployed: &Json, new: &Json) -> Option<Keeping> {
    let mut template = new.clone();
    let mut kept = add_missing(&mut template, deployed, "Resources");
    kept.extend(add_exports(&mut template, deployed));
    if kept.is_empty() {
        return None;
    }
    for section in REFERRED_TO {
        add_missing(&mut template, deployed, section);
    }
    Some(Keeping { template, kept })
}

/// Adds the entries of a section that the template lacks; tells which.
fn add_missing(template: &mut Json, deployed: &Json, section: &str) -> Vec<String> {
    let has = |name: &str| template.get(section).is_some_and(|entries| entries.get(name).is_some());
    let missing: Vec<_> = entries(deployed, section).filter(|(name, _)| !has(name)).collect();
    for (name, entry) in &missing {
        template[section][name.as_str()] = (*entry).clone();
    }
    missing.into_iter().map(|(name, _)| name.clone()).collect()
}

/// Adds the exports that the template lacks; tells of which outputs.
fn add_exports(template: &mut Json, deployed: &Json) -> Vec<String> {
    let mut added = Vec::new();
    for (name, output) in entries(deployed, "Outputs") {
        let Some(export) = output.get("Export") else { continue };
        let new = &mut template["Outputs"][name.as_str()];
        if new.get("Export") == Some(export) {
            continue;
        }
        if new.is_null() {
            *new = output.clone();
        }
        new["Export"] = export.clone();
        added.push(name.clone());
    }
    added
}

fn entries<'a>(template: &'a Json, section: &str) -> impl Iterator<Item = (&'a String, &'a Json)> {
    template.get(section).and_then(Json::as_object).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployed() -> Json {
        json!({
            "Parameters": { "Deployment": { "Type": "String" } },
            "Conditions": { "Known": {} },
            "Resources": { "Stock": { "Type": "AWS::DynamoDB::Table", "Condition": "Known" }, "Orders": { "old": 1 } },
            "Outputs": {
                "StockArn": { "Value": { "Ref": "Stock" } },
                "OrdersArn": { "Value": { "Ref": "Orders" } },
            },
        })
    }

    #[test]
    fn nothing_is_kept_of_what_only_changes() {
        let new = json!({ "Resources": { "Stock": {}, "Orders": { "new": 2 }, "Ledger": {} } });
        assert_eq!(
            keeping(&deployed(), &new),
            None,
            "outputs that nobody imports, and what they need, may go"
        );
    }

    #[test]
    fn what_is_taken_away_is_kept_with_what_it_refers_to() {
        let new = json!({ "Description": "new", "Resources": { "Orders": { "new": 2 } }, "Outputs": {} });
        let Keeping { template, kept } = keeping(&deployed(), &new).unwrap();
        assert_eq!(kept, ["Stock"]);
        assert_eq!(
            template,
            json!({
                "Description": "new",
                "Parameters": deployed()["Parameters"],
                "Conditions": deployed()["Conditions"],
                "Resources": { "Stock": deployed()["Resources"]["Stock"], "Orders": { "new": 2 } },
                "Outputs": {},
            })
        );
    }

    #[test]
    fn an_export_stays_for_those_who_import_it() {
        let mut deployed = deployed();
        for output in ["StockArn", "OrdersArn"] {
            deployed["Outputs"][output]["Export"] = json!({ "Name": output });
        }
        let new = json!({
            "Resources": { "Stock": {}, "Orders": {} },
            "Outputs": { "OrdersArn": { "Value": { "Ref": "Orders" }, "Description": "new" } },
        });
        let Keeping { template, kept } = keeping(&deployed, &new).unwrap();
        assert_eq!(kept, ["OrdersArn", "StockArn"]);
        assert_eq!(template["Outputs"]["StockArn"], deployed["Outputs"]["StockArn"]);
        assert_eq!(
            template["Outputs"]["OrdersArn"],
            json!({ "Value": { "Ref": "Orders" }, "Description": "new", "Export": { "Name": "OrdersArn" } })
        );
        assert_eq!(keeping(&template, &template), None, "deployed again it takes nothing away");
    }
}
