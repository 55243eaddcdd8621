//! What a new release of the trip saga may change, and what is refused in which words. Each case takes today's saga for
//! the new release and makes the deployed one from it.

use crate::trip::trip_saga;
use saga::schema::{SagaSchemas, Schemas, incompatibilities};
use serde_json::{Value as Json, json};

fn today() -> Schemas {
    Schemas::of([trip_saga().definition()])
}

/// What is told when this was deployed.
fn told(deployed: impl FnOnce(&mut Schemas)) -> String {
    let mut schemas = today();
    deployed(&mut schemas);
    let lines: Vec<_> = incompatibilities(&schemas, &today()).iter().map(ToString::to_string).collect();
    lines.join("\n")
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
