//! Which parameters a stack is given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use stacks::{App, parameters};

use super::error::AwsError;

/// What a parameter is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    /// This.
    Value(String),
    /// What the last deployment gave it.
    Previous,
}

/// The arguments of a stack: what is given, else what it had before, else its default. Returns the names without any
/// as the error.
pub(super) fn arguments<'a>(
    declared: impl Iterator<Item = (&'a str, &'a Json)>,
    given: &BTreeMap<String, String>,
    previous: &BTreeSet<String>,
) -> Result<Vec<(String, Argument)>, Vec<String>> {
    let mut arguments = Vec::new();
    let mut missing = Vec::new();
    for (name, declaration) in declared {
        if let Some(value) = given.get(name) {
            arguments.push((name.to_owned(), Argument::Value(value.clone())));
        } else if previous.contains(name) {
            arguments.push((name.to_owned(), Argument::Previous));
        } else if declaration.get("Default").is_none() {
            missing.push(name.to_owned());
        }
    }
    if missing.is_empty() { Ok(arguments) } else { Err(missing) }
}

/// Whether every stack can be given its parameters, before anything is touched. `previous` are the parameters of the
/// last deployment, by stack id.
pub(super) fn check(
    app: &App,
    given: &BTreeMap<String, String>,
    previous: &BTreeMap<&str, BTreeSet<String>>,
) -> Result<(), AwsError> {
    let known: BTreeSet<&str> = app
        .stacks
        .iter()
        .flat_map(|stack| {
            let names = stack.template.parameters().map(|(name, _)| name);
            names.filter(|name| !stack.handed.contains_key(*name))
        })
        .collect();
    let later = later(app);
    if let Some(unknown) = given.keys().find(|name| !known.contains(name.as_str())) {
        let known = known.into_iter().map(ToOwned::to_owned).collect();
        return Err(AwsError::UnknownParameter { given: unknown.clone(), known });
    }
    let none = BTreeSet::new();
    let mut stacks = Vec::new();
    let mut options = BTreeSet::new();
    for stack in &app.stacks {
        let previous = previous.get(stack.id).unwrap_or(&none);
        let Err(missing) = arguments(stack.template.parameters(), given, previous) else { continue };
        let missing: Vec<_> = missing.iter().filter(|name| !later.contains(*name)).collect();
        if !missing.is_empty() {
            stacks.push(stack.id.to_owned());
            options.extend(missing.into_iter().map(|name| option(name)));
        }
    }
    if stacks.is_empty() {
        return Ok(());
    }
    Err(AwsError::MissingParameters { stacks, options: options.into_iter().collect() })
}

/// The parameters that nobody gives but packaging, uploading and the stacks before.
fn later(app: &App) -> BTreeSet<String> {
    let keys = app.functions.iter().map(|function| function.code_key_parameter.clone());
    let handed = app.stacks.iter().flat_map(|stack| stack.handed.keys().cloned());
    keys.chain(handed).chain([parameters::CODE_BUCKET.to_owned()]).collect()
}

/// The option that gives the parameter.
fn option(parameter: &str) -> String {
    match parameter {
        parameters::GATEWAY_URL => "`--gateway-url URL`".to_owned(),
        parameters::EMAIL_FROM => "`--email-from ADDRESS`".to_owned(),
        parameters::OPERATOR_EMAIL => "`--operator-email ADDRESS`".to_owned(),
        name => format!("`--parameter {name}=VALUE`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stacks::Stage;

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn values(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_given_wins_then_what_was_then_the_default() {
        let (required, optional) = (json!({"Type": "String"}), json!({"Type": "String", "Default": ""}));
        let declared =
            || [("A", &required), ("B", &required), ("C", &optional), ("D", &optional)].into_iter();
        let given = values(&[("A", "1"), ("Other", "not declared here")]);
        assert_eq!(
            arguments(declared(), &given, &names(&["A", "B", "D"])),
            Ok(vec![
                ("A".to_owned(), Argument::Value("1".to_owned())),
                ("B".to_owned(), Argument::Previous),
                ("D".to_owned(), Argument::Previous),
            ])
        );
        assert_eq!(arguments(declared(), &given, &names(&[])), Err(vec!["B".to_owned()]));
    }

    #[test]
    fn the_first_deployment_names_the_options_that_are_missing() {
        let app = stacks::synth(Stage::Dev).unwrap();
        let given = values(&[(parameters::EMAIL_FROM, "shop@example.com")]);
        let error = check(&app, &given, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "the first deployment of app needs `--gateway-url URL`");

        let app_before = BTreeMap::from([("app", names(&[parameters::GATEWAY_URL]))]);
        assert!(check(&app, &given, &app_before).is_ok(), "an update keeps what it had");

        // What a stack before puts out is nobody's to give.
        for wrong in ["GatewayURL", "StockTableName"] {
            let error = check(&app, &values(&[(wrong, "x")]), &app_before).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("no stack has a parameter `{wrong}`: use one of ")),
                "{error}"
            );
            assert!(!error.contains("StockTableArn"), "{error}");
        }
    }
}
