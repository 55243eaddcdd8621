//! Whether a new release understands what the deployed one has in flight and in its tables, and the other way round.

use saga::schema::{Incompatibility, Irreversible, incompatibilities, irreversible};
use serde_json::Value as Json;
use stacks::{App, Stack, record};

use super::compare::lost_items;
use super::connection::Connection;
use super::difference::differences;
use super::error::AwsError;
use super::progress::{Progress, Update};
use super::stack::{self, Before, before_deploy};
use super::{Target, template};

/// The stack that keeps the record of its release.
const RECORDED_IN: &str = "app";

/// The stack with the tables, and with nothing else.
const ITEMS_IN: &str = "data";

/// What a deployment prints when it goes on although it could not be taken back.
const NO_WAY_BACK: &str = "if a resource fails, CloudFormation goes back to the deployed release by itself; to be able to go \
                           back, first deploy a release that only reads what is new, and later one that writes it";

/// Refuses a release that would not understand what the deployed one has in flight, or would lose what it has stored, unless
/// that is allowed. Tells what could not be rolled back.
pub(super) async fn check(
    aws: &Connection,
    app: &App,
    target: &Target,
    allowed: bool,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    // The record says better than the tables what an entity that is gone means.
    let mut stacks: Vec<&Stack> = app.stacks.iter().filter(|stack| keeps_the_record(stack)).collect();
    stacks.extend(app.stacks.iter().filter(|stack| keeps_items(stack)));
    for stack in stacks {
        let name = target.stack_name(stack);
        let mut found = stack::describe(aws, &name).await?;
        // An update that was interrupted here goes on there: what it deploys is what counts.
        if let (Before::WaitFirst, Some(busy)) = (before_deploy(found.as_ref()), &found) {
            found = stack::settle(aws, &name, busy, progress).await?;
        }
        let (Before::Update, Some(found)) = (before_deploy(found.as_ref()), found) else { continue };
        let deployed = template::deployed(aws, &name, &found).await?;
        if keeps_the_record(stack) {
            judge(&name, &deployed, app, allowed, progress)?;
        } else {
            judge_items(&name, &deployed, stack, allowed, progress)?;
        }
    }
    Ok(())
}

/// Whether the template of this stack has the record of the release.
pub(super) fn keeps_the_record(stack: &Stack) -> bool {
    stack.id == RECORDED_IN
}

/// Whether this stack has the tables of the participants.
pub(super) fn keeps_items(stack: &Stack) -> bool {
    stack.id == ITEMS_IN
}

/// How two releases understand each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Understanding {
    /// What this release would not understand of the deployed one.
    pub(super) incompatibilities: Vec<Incompatibility>,
    /// What the deployed one would not understand of this release.
    pub(super) irreversible: Vec<Irreversible>,
    /// Whether the deployed release kept what its participants store.
    pub(super) knows_entities: bool,
}

impl Default for Understanding {
    fn default() -> Self {
        Self { incompatibilities: Vec::new(), irreversible: Vec::new(), knows_entities: true }
    }
}

/// How this release and the one with this template understand each other. None: that release kept no record.
pub(super) fn compare(stack: &str, deployed: &Json, app: &App) -> Result<Option<Understanding>, AwsError> {
    let recorded = record::recorded(deployed)
        .map_err(|error| AwsError::Template { stack: stack.to_owned(), reason: error.to_string() })?;
    Ok(recorded.map(|deployed| Understanding {
        incompatibilities: incompatibilities(&deployed, &app.schemas),
        irreversible: irreversible(&deployed, &app.schemas, &app.written),
        knows_entities: !deployed.entities.is_empty() || app.schemas.entities.is_empty(),
    }))
}

fn judge(
    stack: &str,
    deployed: &Json,
    app: &App,
    allowed: bool,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let mut note = |text: &str| progress.update(Update::Note(text));
    let understanding = match compare(stack, deployed, app) {
        Ok(Some(understanding)) => understanding,
        Ok(None) => {
            note(&format!(
                "stack {stack} is of a release that kept no schemas: whether this one understands its messages is not known"
            ));
            return Ok(());
        }
        Err(error) if allowed => {
            note(&format!("allowed: {error}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let Understanding { incompatibilities: found, irreversible, knows_entities } = understanding;
    if !found.is_empty() && !allowed {
        return Err(AwsError::Incompatible { stack: stack.to_owned(), found });
    }
    for incompatibility in found {
        note(&format!("allowed: {incompatibility}"));
    }
    if !knows_entities {
        note(&format!(
            "stack {stack} is of a release that kept no entities, nor what its sagas begin with: whether this one finds what it has stored is not known"
        ));
    }
    for irreversible in &irreversible {
        note(&irreversible.to_string());
    }
    if !irreversible.is_empty() {
        note(NO_WAY_BACK);
    }
    Ok(())
}

/// Refuses to lose the items of a table: also where no record says what they are.
fn judge_items(
    name: &str,
    deployed: &Json,
    stack: &Stack,
    allowed: bool,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let lost = lost_items(&differences(deployed, &template::wanted(name, stack)?));
    let found: Vec<String> = lost.iter().map(|(path, effect)| format!("{path}: this {effect}")).collect();
    if !found.is_empty() && !allowed {
        return Err(AwsError::Loses { stack: name.to_owned(), found });
    }
    for lost in found {
        progress.update(Update::Note(&format!("allowed: {lost}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stacks::Stage;

    fn here() -> (Json, App) {
        let app = stacks::synth(Stage::Prod).unwrap();
        (template(&app, keeps_the_record), app)
    }

    fn template(app: &App, wanted: fn(&Stack) -> bool) -> Json {
        let stack = app.stacks.iter().find(|stack| wanted(stack)).unwrap();
        serde_json::from_str(stack.template.to_json()).unwrap()
    }

    /// The template of a release before, in which a text of its record was another.
    fn before_with(part: &str, change: impl FnOnce(&mut Json)) -> Json {
        let (mut template, _) = here();
        let place = format!("/Metadata/MessageSchemas/{part}");
        let text = template.pointer(&place).and_then(Json::as_str).unwrap();
        let mut schemas: Json = serde_json::from_str(text).unwrap();
        change(&mut schemas);
        *template.pointer_mut(&place).unwrap() = schemas.to_string().into();
        template
    }

    /// The quantity of a line could be anything.
    fn before() -> Json {
        before_with("Sagas/order", |saga| {
            *saga.pointer_mut("/$defs/Line/properties/quantity").unwrap() = Json::Bool(true);
        })
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

    #[test]
    fn an_entity_that_would_not_be_found_is_refused() {
        let before = before_with("Entities", |entities| entities["stock"]["key"] = "id".into());
        let (result, _) = judged(&before, false);
        let error = result.unwrap_err();
        assert!(error.contains("entity `stock`: its key was `id` and is `sku`"), "{error}");
        assert!(judged(&before, true).0.is_ok());
    }

    #[test]
    fn a_release_that_kept_no_entities_passes_and_is_told() {
        let mut before = here().0;
        before["Metadata"]["MessageSchemas"].as_object_mut().unwrap().remove("Entities").unwrap();
        let (result, notes) = judged(&before, false);
        assert_eq!(result, Ok(()));
        assert!(notes.len() == 1 && notes[0].contains("kept no entities"), "{notes:?}");
    }

    #[test]
    fn a_release_that_cannot_be_rolled_back_passes_and_is_told() {
        let before = before_with("Sagas/order", |saga| {
            saga["steps"].as_object_mut().unwrap().remove("charge-payment").unwrap();
        });
        let (result, notes) = judged(&before, false);
        assert_eq!(result, Ok(()));
        let told = "cannot be rolled back: saga `order`, step `charge-payment`: it is new";
        assert!(notes.len() == 2 && notes[0].starts_with(told), "{notes:?}");
        assert_eq!(notes[1], NO_WAY_BACK);
    }

    fn items_judged(stage: Stage, allowed: bool) -> (Result<(), String>, Vec<String>) {
        let app = stacks::synth(stage).unwrap();
        let mut before = template(&app, keeps_items);
        let key = "/Resources/StockTable/Properties/KeySchema/0/AttributeName";
        *before.pointer_mut(key).unwrap() = "id".into();
        let stack = app.stacks.iter().find(|stack| keeps_items(stack)).unwrap();
        let mut notes = Notes::default();
        let result = judge_items("flyover-dev-data", &before, stack, allowed, &mut notes);
        (result.map_err(|error| error.to_string()), notes.0)
    }

    #[test]
    fn a_table_that_would_lose_its_items_is_refused_unless_that_is_allowed() {
        let (result, _) = items_judged(Stage::Dev, false);
        let error = result.unwrap_err();
        for said in
            ["flyover-dev-data", "Resources.StockTable", "what it holds is lost", "--allow-incompatible"]
        {
            assert!(error.contains(said), "{said} is not in: {error}");
        }
        let (result, notes) = items_judged(Stage::Dev, true);
        assert_eq!(result, Ok(()));
        assert!(notes[0].starts_with("allowed: Resources.StockTable"), "{notes:?}");
        // In production the old table is kept, and what its entity has become is told by the record.
        assert_eq!(items_judged(Stage::Prod, false).0, Ok(()));
    }
}
