//! Whether a new release understands the messages of what is deployed.

use saga::schema::{Incompatibility, Schemas, incompatibilities};
use serde_json::Value as Json;
use stacks::{App, Stack, record};

use super::connection::Connection;
use super::error::AwsError;
use super::progress::{Progress, Update};
use super::stack::{self, Before, before_deploy};
use super::{Target, template};

/// The stack that keeps the record of its release.
const RECORDED_IN: &str = "app";

/// Refuses a release that would not understand what the deployed one has in flight, unless that is allowed.
pub(super) async fn check(
    aws: &Connection,
    app: &App,
    target: &Target,
    allowed: bool,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    for stack in app.stacks.iter().filter(|stack| keeps_the_record(stack)) {
        let name = target.stack_name(stack);
        let mut found = stack::describe(aws, &name).await?;
        // An update that was interrupted here goes on there: what it deploys is what counts.
        if let (Before::WaitFirst, Some(busy)) = (before_deploy(found.as_ref()), &found) {
            found = stack::settle(aws, &name, busy, progress).await?;
        }
        let (Before::Update, Some(found)) = (before_deploy(found.as_ref()), found) else { continue };
        let deployed = template::deployed(aws, &name, &found).await?;
        judge(&name, &deployed, &app.schemas, allowed, progress)?;
    }
    Ok(())
}

/// Whether the template of this stack has the record of the release.
pub(super) fn keeps_the_record(stack: &Stack) -> bool {
    stack.id == RECORDED_IN
}

/// What this release would not understand of the release with this template. None: that release kept no record.
pub(super) fn compare(
    stack: &str,
    deployed: &Json,
    here: &Schemas,
) -> Result<Option<Vec<Incompatibility>>, AwsError> {
    let recorded = record::recorded(deployed)
        .map_err(|error| AwsError::Template { stack: stack.to_owned(), reason: error.to_string() })?;
    Ok(recorded.map(|deployed| incompatibilities(&deployed, here)))
}

fn judge(
    stack: &str,
    deployed: &Json,
    here: &Schemas,
    allowed: bool,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let mut note = |text: &str| progress.update(Update::Note(text));
    match compare(stack, deployed, here) {
        Ok(Some(found)) if found.is_empty() => {}
        Ok(Some(found)) if allowed => {
            for incompatibility in found {
                note(&format!("allowed: {incompatibility}"));
            }
        }
        Ok(Some(found)) => return Err(AwsError::Incompatible { stack: stack.to_owned(), found }),
        Ok(None) => note(&format!(
            "stack {stack} is of a release that kept no schemas: whether this one understands its messages is not known"
        )),
        Err(error) if allowed => note(&format!("allowed: {error}")),
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stacks::Stage;

    fn here() -> (Json, Schemas) {
        let app = stacks::synth(Stage::Prod).unwrap();
        let stack = app.stacks.iter().find(|stack| keeps_the_record(stack)).unwrap();
        (serde_json::from_str(stack.template.to_json()).unwrap(), app.schemas)
    }

    /// The template of a release before, in which the quantity of a line could be anything.
    fn before() -> Json {
        let (mut template, _) = here();
        let sagas = "/Metadata/MessageSchemas/Sagas/order";
        let text = template.pointer(sagas).and_then(Json::as_str).unwrap();
        let mut schemas: Json = serde_json::from_str(text).unwrap();
        let quantity = schemas.pointer_mut("/$defs/Line/properties/quantity").unwrap();
        *quantity = Json::Bool(true);
        *template.pointer_mut(sagas).unwrap() = schemas.to_string().into();
        template
    }

    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Progress for Notes {
        fn update(&mut self, update: Update<'_>) {
            if let Update::Note(note) = update {
                self.0.push(note.to_owned());
            }
        }
    }

    fn judged(deployed: &Json, allowed: bool) -> (Result<(), String>, Vec<String>) {
        let mut notes = Notes::default();
        let result = judge("flyover-prod-app", deployed, &here().1, allowed, &mut notes);
        (result.map_err(|error| error.to_string()), notes.0)
    }

    #[test]
    fn the_same_release_passes_in_silence() {
        assert_eq!(judged(&here().0, false), (Ok(()), Vec::new()));
    }

    #[test]
    fn an_incompatible_release_is_refused_with_the_field() {
        let (result, notes) = judged(&before(), false);
        let error = result.unwrap_err();
        for said in [
            "flyover-prod-app",
            "saga `order`, value `order`",
            "input of step `reserve-stock`",
            "at `$.lines[*].quantity`: messages in flight can have anything, and this release takes an integer from 0 to 4294967295",
            "--allow-incompatible",
        ] {
            assert!(error.contains(said), "{said} is not in: {error}");
        }
        assert_eq!(notes, Vec::<String>::new());
    }

    #[test]
    fn an_incompatible_release_that_is_allowed_passes_and_is_told() {
        let (result, notes) = judged(&before(), true);
        assert_eq!(result, Ok(()));
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("allowed: saga `order`, value `order`"), "{notes:?}");
    }

    #[test]
    fn a_release_without_a_record_passes_and_is_told() {
        let (result, notes) = judged(&Json::Object(serde_json::Map::new()), false);
        assert_eq!(result, Ok(()));
        assert!(notes[0].contains("kept no schemas"), "{notes:?}");
    }

    #[test]
    fn a_record_that_cannot_be_read_is_refused_unless_that_is_allowed() {
        let mut broken = here().0;
        broken["Metadata"]["MessageSchemas"]["Envelope"] = "{".into();
        assert!(judged(&broken, false).0.unwrap_err().contains("`Envelope`"));
        assert!(judged(&broken, true).1[0].contains("`Envelope`"));
    }
}
