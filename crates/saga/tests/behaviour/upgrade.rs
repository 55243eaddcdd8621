//! What a new release of the trip saga may change, and what is refused in which words. Each case takes today's saga for
//! the new release and makes the deployed one from it.

use crate::trip::{Agency, Airline, Hotel, trip_saga};
use saga::{
    Entities, FieldKind, Participant,
    schema::{EntitySchema, SagaSchemas, Schemas, incompatibilities, irreversible},
};
use serde_json::{Value as Json, json};
use std::fmt::Display;

fn today() -> Schemas {
    let mut schemas = Schemas::of([trip_saga().definition()]);
    for (participant, entities) in [
        (Hotel::NAME, <Hotel as Participant>::Entities::SPECS),
        (Airline::NAME, <Airline as Participant>::Entities::SPECS),
        (Agency::NAME, <Agency as Participant>::Entities::SPECS),
    ] {
        schemas = schemas.with_entities(participant, entities);
    }
    schemas
}

/// What is told when this was deployed.
fn told(deployed: impl FnOnce(&mut Schemas)) -> String {
    let mut schemas = today();
    deployed(&mut schemas);
    lines(&incompatibilities(&schemas, &today()))
}

fn lines(told: &[impl Display]) -> String {
    told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn told_of_entity(name: &str, deployed: impl FnOnce(&mut EntitySchema)) -> String {
    told(|schemas| deployed(schemas.entities.get_mut(name).unwrap()))
}

/// Why this release could not be rolled back when this was deployed.
fn told_back(deployed: impl FnOnce(&mut Schemas)) -> String {
    let mut schemas = today();
    deployed(&mut schemas);
    lines(&irreversible(&schemas, &today(), &Schemas::written_by([trip_saga().definition()])))
}

fn told_back_of_saga(deployed: impl FnOnce(&mut SagaSchemas)) -> String {
    told_back(|schemas| deployed(schemas.sagas.get_mut("trip").unwrap()))
}

fn told_of_saga(deployed: impl FnOnce(&mut SagaSchemas)) -> String {
    told(|schemas| deployed(schemas.sagas.get_mut("trip").unwrap()))
}

fn definition<'a>(saga: &'a mut SagaSchemas, name: &str) -> &'a mut Json {
    saga.definitions.get_mut(name).unwrap()
}

fn forget_member(schema: &mut Json, name: &str) {
    schema["properties"].as_object_mut().unwrap().remove(name).unwrap();
    schema["required"].as_array_mut().unwrap().retain(|required| required != name);
}

#[test]
fn what_stays_is_understood() {
    assert_eq!(told(|_| {}), "");
    assert_eq!(told(|schemas| *schemas = schemas.clone().without_annotations()), "");
}

#[test]
fn what_is_new_is_no_matter() {
    assert_eq!(told(|schemas| schemas.sagas.clear()), "");
    assert_eq!(
        told_of_saga(|saga| {
            saga.steps.remove("book-hotel");
            saga.notices.remove("TripBooked");
            saga.steps.get_mut("charge-card").unwrap().rejections.clear();
        }),
        ""
    );
}

#[test]
fn a_value_is_told_once_with_all_its_users() {
    insta::assert_snapshot!(told_of_saga(|saga| forget_member(definition(saga, "Trip"), "price")), @"saga `trip`, value `trip` (input of the saga, input of step `book-flight`, input of step `book-hotel`, input of step `charge-card`, in notice `TripBooked`, in notice `TripCancelled`) at `$.price`: this member is required, and messages in flight may lack it; make it an `Option` or give it `#[serde(default)]`");
    insta::assert_snapshot!(told_of_saga(|saga| definition(saga, "Room")["properties"]["nights"] = json!({ "type": "integer" })), @"saga `trip`, value `room` (output of step `book-hotel`, input of step `charge-card`, input of step `send-itinerary`) at `$.nights`: messages in flight can have an integer from -9007199254740991 to 9007199254740991, and this release takes an integer from 0 to 4294967295; take what was taken before, or add a member or a step with a new name beside it");
}

#[test]
fn rejections_are_recorded() {
    insta::assert_snapshot!(told_of_saga(|saga| {
        saga.steps.get_mut("charge-card").unwrap().rejections.push("CardStolen".into());
        definition(saga, "CardRefusal")["enum"].as_array_mut().unwrap().push("CardStolen".into());
    }), @r#"
    saga `trip`, step `charge-card`: its rejection `CardStolen` is gone, and fences have recorded it; keep its name in `NAMES`, also when it is not given any more
    saga `trip`, rejection of step `charge-card` at `$`: messages in flight can have "CardStolen", and this release takes "CardDeclined" or "AlreadyPaid"; take what was taken before, or add a member or a step with a new name beside it
    "#);
    insta::assert_snapshot!(told_of_saga(|saga| {
        let step = saga.steps.get_mut("send-itinerary").unwrap();
        (step.rejections, step.rejection) = (vec!["NoAddress".into()], json!({ "type": "null" }));
    }), @"saga `trip`, step `send-itinerary`: its rejection `NoAddress` is gone, and fences have recorded it; keep its name in `NAMES`, also when it is not given any more");
}

#[test]
fn what_executions_in_flight_use_may_not_go() {
    insta::assert_snapshot!(told(|schemas| {
        let trip = schemas.sagas["trip"].clone();
        schemas.sagas.insert("tour".into(), trip);
    }), @"saga `tour`: it is gone, and executions in flight still use it; keep it until no execution of the deployed release is left");
    insta::assert_snapshot!(told_of_saga(|saga| {
        let step = saga.steps["book-hotel"].clone();
        saga.steps.insert("book-car".into(), step);
        let notice = saga.notices["TripBooked"].clone();
        saga.notices.insert("TripPlanned".into(), notice);
    }), @"
    saga `trip`, step `book-car`: it is gone, and executions in flight still use it; keep it until no execution of the deployed release is left
    saga `trip`, notice `TripPlanned`: it is gone, and executions in flight still use it; keep it until no execution of the deployed release is left
    ");
}

#[test]
fn a_step_stays_where_and_what_it_is() {
    insta::assert_snapshot!(told_of_saga(|saga| {
        let step = saga.steps.get_mut("book-hotel").unwrap();
        (step.participant, step.kind) = ("motel".into(), saga::Kind::CompensableOutside);
    }), @"
    saga `trip`, step `book-hotel`: it moved from participant `motel` to `hotel`, and executions in flight still ask `motel`; give the new one a new step name, and keep the old one
    saga `trip`, step `book-hotel`: it was CompensableOutside and is Compensable, so what executions in flight have done is undone in another way; give the new one a new step name, and keep the old one
    ");
}

#[test]
fn wire_names_stay() {
    insta::assert_snapshot!(told_of_saga(|saga| {
        saga.input_value = "journey".into();
        saga.steps.get_mut("book-hotel").unwrap().output_value = "bed".into();
    }), @"
    saga `trip`: its input was named `journey` and is named `trip`; keep the name, or give the step a new name and keep the old one
    saga `trip`, step `book-hotel`: its output was named `bed` and is named `room`; keep the name, or give the step a new name and keep the old one
    ");
    insta::assert_snapshot!(told_of_saga(|saga| {
        forget_member(&mut saga.steps.get_mut("charge-card").unwrap().input, "seat");
        forget_member(&mut saga.notices.get_mut("TripBooked").unwrap().input, "itinerary");
    }), @"
    saga `trip`, step `charge-card`: it needs the value `seat`, which executions in flight do not send; give it a new name and keep the old one, or do without the value
    saga `trip`, notice `TripBooked`: it needs the value `itinerary`, which executions in flight do not send; give it a new name and keep the old one, or do without the value
    ");
}

#[test]
fn the_envelope_is_read_by_every_handler() {
    insta::assert_snapshot!(told(|schemas| schemas.envelope.v = 1), @"");
    insta::assert_snapshot!(told(|schemas| schemas.envelope.v = 3), @"`request` of the envelope at `$.v`: messages of version 3 are in flight, and this release serves 1 to 2; serve both versions until no execution of the deployed release is left");
    insta::assert_snapshot!(told(|schemas| {
        forget_member(schemas.envelope.definitions.get_mut("Request").unwrap(), "execution");
        let operations = &mut schemas.envelope.definitions.get_mut("Op").unwrap()["oneOf"];
        operations.as_array_mut().unwrap().push(json!({ "const": "pause" }));
    }), @r#"
    `request` of the envelope at `$.execution`: this member is required, and messages in flight may lack it; make it an `Option` or give it `#[serde(default)]`
    `request` of the envelope at `$.op`: messages in flight can have "pause", and this release takes "run" or "undo" or "settle" or "abandon"; take what was taken before, or add a member or a step with a new name beside it
    "#);
}

#[test]
fn an_answer_is_read_by_executions_in_flight() {
    insta::assert_snapshot!(told(|schemas| {
        let directions = &mut schemas.envelope.definitions.get_mut("Direction").unwrap()["oneOf"];
        directions.as_array_mut().unwrap().pop();
        let reply = schemas.envelope.definitions.get_mut("SettleReply").unwrap();
        reply["required"].as_array_mut().unwrap().push("cause".into());
    }), @r#"
    `settle_reply` of the envelope at `$.cause`: executions in flight need this member, and this release may leave it out; write what was written before
    `settle_reply` of the envelope at `$.direction`: executions in flight take "forward", and this release can write "backward"; write what was written before
    "#);
}

#[test]
fn what_comes_after_the_pivot_does_without_new_steps_before_it() {
    insta::assert_snapshot!(told_of_saga(|saga| {
        saga.steps.remove("book-hotel");
        saga.steps.remove("send-itinerary");
    }), @"saga `trip`, step `send-itinerary`: it needs the value `room` of the new step `book-hotel`, which a saga that began before never runs once it is past its pivot: who settles for its execution parks it for good; deploy the new step first, and what needs it when no execution of the release before it is left");
    // A step after the pivot that is there already is told of the same fault in another way.
    assert_eq!(told_of_saga(|saga| drop(saga.steps.remove("book-hotel"))), "");
}

#[test]
fn a_saga_begins_as_it_did() {
    // One more at the same time is no matter.
    assert_eq!(told_of_saga(|saga| saga.first = vec!["book-flight".into()]), "");
    assert_eq!(told_of_saga(|saga| saga.first.clear()), "", "a release that kept none");
    insta::assert_snapshot!(told_of_saga(|saga| saga.first = vec!["charge-card".into()]), @"saga `trip`: it began with `charge-card` and begins with `book-hotel + book-flight`: who settles for an execution asks the first steps whose the saga id is, and one that is new does not know of a saga under way that has it, which is then turned back; put new steps behind the first ones, or at the same time");
}

#[test]
fn what_is_stored_is_still_found() {
    assert_eq!(told(|schemas| schemas.entities.clear()), "", "a release that kept none");
    assert_eq!(told_of_entity("rooms", |rooms| _ = rooms.fields.remove("free")), "", "a new field");
    assert_eq!(told(|schemas| drop(schemas.entities.remove("rooms"))), "", "a new entity");
    insta::assert_snapshot!(told(|schemas| {
        let fares = schemas.entities["fares"].clone();
        schemas.entities.insert("tariffs".into(), fares);
    }), @"entity `tariffs`: it is gone: what it holds is not found any more, and steps whose recorded inverses name it are parked when they are undone; keep its name; to give it up, keep it until no execution of the deployed release is left");
    insta::assert_snapshot!(told(|schemas| {
        let fares = schemas.entities.remove("fares").unwrap();
        schemas.entities.insert("tariffs".into(), fares);
    }), @"entity `tariffs`: it is gone, or named `fares` now: what it holds is not found any more, and steps whose recorded inverses name it are parked when they are undone; keep its name; to give it up, keep it until no execution of the deployed release is left");
    insta::assert_snapshot!(told_of_entity("rooms", |rooms| {
        rooms.participant = "motel".into();
        rooms.key = "house".into();
    }), @"
    entity `rooms`: it moved from participant `motel` to `hotel`: recorded inverses name it, and `motel` may not write it any more, so its steps are parked when they are undone; declare a new entity with another name beside it, and copy what it holds
    entity `rooms`: its key was `house` and is `hotel`: the deployment puts an empty table in its place, what it holds is lost or left behind, and recorded inverses name items by the old key; declare a new entity with another name beside it, and copy what it holds
    ");
    insta::assert_snapshot!(told_of_entity("seats", |seats| {
        let class = seats.fields.remove("class").unwrap();
        seats.fields.insert("cabin".into(), class);
        seats.fields.insert("price".into(), FieldKind::Text);
        seats.fields.insert("row".into(), FieldKind::Number);
    }), @"
    entity `seats`, field `cabin`: it is gone, or named `class` now: items and recorded inverses have it under this name, so after the deployment every guard on another name fails; keep the name of the attribute; to give it up, keep it in `FIELDS` until no execution of the deployed release is left
    entity `seats`, field `price`: it was stored as text and is stored as a number: after the deployment every guard on what is stored already fails; declare a new field with another name beside it
    entity `seats`, field `row`: it is gone: items and recorded inverses have it under this name, so after the deployment every guard on another name fails; keep the name of the attribute; to give it up, keep it in `FIELDS` until no execution of the deployed release is left
    ");
}

#[test]
fn what_does_not_change_can_be_rolled_back() {
    assert_eq!(told_back(|_| {}), "");
    assert_eq!(told_back(|schemas| *schemas = schemas.clone().without_annotations()), "");
    assert_eq!(told_back(|schemas| schemas.entities.clear()), "", "a release that kept none");
    assert_eq!(
        told_back_of_saga(|saga| {
            // A rejection is answered as it was recorded.
            saga.steps.get_mut("charge-card").unwrap().rejections.clear();
            // A member that the deployed release does not know is ignored.
            forget_member(definition(saga, "Trip"), "price");
            // One that need not be there is written all the same.
            definition(saga, "Room")["required"] = json!(["nights"]);
        }),
        ""
    );
}

#[test]
fn what_is_new_cannot_be_rolled_back() {
    insta::assert_snapshot!(told_back(|schemas| schemas.sagas.clear()), @"cannot be rolled back: saga `trip`: it is new, and when its state machine goes, Step Functions ends its executions at their next step: what they have done stays, and nothing settles it");
    insta::assert_snapshot!(told_back(|schemas| {
        schemas.entities.remove("rooms");
        let saga = schemas.sagas.get_mut("trip").unwrap();
        saga.steps.remove("book-hotel");
        saga.notices.remove("TripBooked");
    }), @"
    cannot be rolled back: saga `trip`, step `book-hotel`: it is new, and the deployed release neither serves nor undoes it: executions that have begun with it are parked, and of one that died its effect stays
    cannot be rolled back: saga `trip`, notice `TripBooked`: it is new, and who reads notices of the deployed release does not know it
    cannot be rolled back: entity `rooms`: it is new, and the deployed release does not write to it: steps that have are parked when they are undone
    ");
}

#[test]
fn what_is_written_here_must_be_read_there() {
    insta::assert_snapshot!(told_back_of_saga(|saga| {
        definition(saga, "Room")["properties"]["nights"] = json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 });
        let trip = definition(saga, "Trip");
        trip["additionalProperties"] = json!(false);
        forget_member(trip, "price");
    }), @"
    cannot be rolled back: saga `trip`, value `trip` (input of the saga, input of step `book-flight`, input of step `book-hotel`, input of step `charge-card`, in notice `TripBooked`, in notice `TripCancelled`) at `$.price`: the deployed release refuses this member, and this one may write it
    cannot be rolled back: saga `trip`, value `trip` (input of the saga, input of step `book-flight`, input of step `book-hotel`, input of step `charge-card`, in notice `TripBooked`, in notice `TripCancelled`) at `$.*`: the deployed release refuses this member, and this one may write it
    cannot be rolled back: saga `trip`, value `room` (output of step `book-hotel`, input of step `charge-card`, input of step `send-itinerary`) at `$.nights`: this release can write an integer from 0 to 4294967295, and the deployed one takes an integer from 0 to 255
    ");
    insta::assert_snapshot!(told_back_of_saga(|saga| {
        let payment = definition(saga, "Payment");
        payment["properties"]["currency"] = json!({ "type": "string" });
        payment["required"] = json!(["amount", "currency"]);
        let trip = saga.input.clone();
        saga.steps.get_mut("send-itinerary").unwrap().input["properties"]["trip"] = trip;
    }), @"
    cannot be rolled back: saga `trip`, value `payment` (output of step `charge-card`, input of step `issue-tickets`) at `$.currency`: the deployed release needs this member, and this one may leave it out
    cannot be rolled back: saga `trip`, step `send-itinerary`: the deployed release needs the value `trip`, which executions of this one do not send
    ");
}

#[test]
fn an_older_release_reads_the_envelope_of_this_one() {
    insta::assert_snapshot!(told_back(|schemas| {
        schemas.envelope.v = 1;
        let request = schemas.envelope.definitions.get_mut("Request").unwrap();
        request["properties"].as_object_mut().unwrap().remove("if_absent").unwrap();
        let start = schemas.envelope.definitions.get_mut("StartInput").unwrap();
        start["properties"].as_object_mut().unwrap().remove("settle").unwrap();
        let operations = &mut schemas.envelope.definitions.get_mut("Op").unwrap()["oneOf"];
        operations.as_array_mut().unwrap().pop();
        let directions = &mut schemas.envelope.definitions.get_mut("Direction").unwrap()["oneOf"];
        directions.as_array_mut().unwrap().push(json!({ "const": "sideways" }));
    }), @r#"
    cannot be rolled back: `request` of the envelope at `$.v`: this release sends messages of version 2, and the deployed one serves none after 1
    cannot be rolled back: `start` of the envelope at `$.settle`: the deployed release refuses this member, and this one may write it
    cannot be rolled back: `request` of the envelope at `$.op`: this release can write "abandon", and the deployed one takes "run" or "undo" or "settle"
    cannot be rolled back: `request` of the envelope at `$.if_absent`: the deployed release does not know this member, and does as if it were not there
    cannot be rolled back: `settle_reply` of the envelope at `$.direction`: the deployed release can answer "sideways", and executions of this one take "forward" or "backward"
    "#);
}
