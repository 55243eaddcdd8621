//! How the templates differ from what is deployed.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use saga::schema::{Incompatibility, Irreversible};
use serde_json::{Map, Value as Json};
use stacks::record;

use super::connection::Connection;
use super::difference::{Difference, differences};
use super::effect::{Effect, Fate};
use super::error::AwsError;
use super::upgrade::{self, Understanding};
use super::{Target, stack, template};

/// How a stack differs from its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackDifference {
    /// The stack's name.
    pub stack: String,
    /// Whether it is deployed at all.
    pub deployed: bool,
    /// What a deployment would change. Parameters' values, and with them the functions' code, are not compared.
    pub differences: Vec<Difference>,
    /// What this release would not understand of what the deployed one has in flight and stored. None when that is not
    /// known: the deployed release kept no schemas. Empty for a stack without messages.
    pub incompatibilities: Option<Vec<Incompatibility>>,
    /// What the deployed release would not understand of this one, if CloudFormation goes back to it.
    pub irreversible: Vec<Irreversible>,
    /// Whether the deployed release kept what its participants store. True for a stack without messages.
    pub knows_entities: bool,
    /// Whether it is the stack with the tables of the participants.
    pub keeps_items: bool,
}

impl StackDifference {
    /// The resources that hold something which a deployment loses, or may lose; by path, with the gravest of what
    /// happens to each.
    #[must_use]
    pub fn losses(&self) -> BTreeMap<String, Effect> {
        lost_items(&self.differences)
    }

    /// Whether `deploy` refuses it unless that is allowed: something would not be understood, or the items of a table would
    /// be lost.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.incompatibilities.as_ref().is_some_and(|found| !found.is_empty())
            || self.keeps_items && !self.losses().is_empty()
    }
}

/// The resources that lose, or may lose, what they hold; by path, with the gravest of what happens to each.
pub(super) fn lost_items(differences: &[Difference]) -> BTreeMap<String, Effect> {
    let mut losses: BTreeMap<String, Effect> = BTreeMap::new();
    for difference in differences {
        let Some(effect) = difference.effect.filter(Effect::may_lose_data) else { continue };
        let resource: Vec<&str> = difference.path.splitn(3, '.').take(2).collect();
        let worst = losses.entry(resource.join(".")).or_insert(effect);
        if worst.fate == Fate::MaybeReplaced {
            *worst = effect;
        }
    }
    losses
}

/// Compares every stack's template with the deployed one.
///
/// # Errors
/// When AWS refuses to show a template, or one cannot be read.
pub async fn diff(target: &Target, config: Option<&SdkConfig>) -> Result<Vec<StackDifference>, AwsError> {
    let app = target.app()?;
    let aws = Connection::open(config).await?;
    let mut all = Vec::new();
    for stack in &app.stacks {
        let name = target.stack_name(stack);
        let found = stack::describe(&aws, &name).await?;
        let there = match &found {
            Some(found) => template::deployed(&aws, &name, found).await?,
            None => Json::Object(Map::new()),
        };
        let understanding = if found.is_some() && upgrade::keeps_the_record(stack) {
            upgrade::compare(&name, &there, &app)?
        } else {
            Some(Understanding::default())
        };
        let here = template::wanted(&name, stack)?;
        all.push(StackDifference {
            deployed: found.is_some(),
            differences: differences(
                &record::with_record_taken_apart(there),
                &record::with_record_taken_apart(here),
            ),
            knows_entities: understanding.as_ref().is_none_or(|found| found.knows_entities),
            irreversible: understanding.as_ref().map(|found| found.irreversible.clone()).unwrap_or_default(),
            incompatibilities: understanding.map(|found| found.incompatibilities),
            keeps_items: upgrade::keeps_items(stack),
            stack: name,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_resource_that_loses_data_is_named_once_with_the_worst() {
        let table = |keys: u8, attribute: &str| {
            let keys = json!([{ "AttributeName": keys.to_string(), "KeyType": "HASH" }]);
            json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "KeySchema": keys, "TableName": attribute } })
        };
        let there = json!({ "Resources": { "A": table(1, "a"), "B": table(1, "b"), "C": { "Type": "AWS::IAM::Role" } } });
        let here = json!({ "Resources": { "A": table(2, "c") } });
        let stack = StackDifference {
            stack: "data".to_owned(),
            deployed: true,
            differences: differences(&there, &here),
            incompatibilities: Some(Vec::new()),
            irreversible: Vec::new(),
            knows_entities: true,
            keeps_items: true,
        };
        assert!(stack.is_refused() && !StackDifference { keeps_items: false, ..stack.clone() }.is_refused());
        let losses: Vec<_> = stack.losses().into_iter().map(|(path, effect)| (path, effect.fate)).collect();
        assert_eq!(
            losses,
            [("Resources.A".to_owned(), Fate::Replaced), ("Resources.B".to_owned(), Fate::Removed)]
        );
    }
}
