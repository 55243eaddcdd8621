//! The wire formats, held still: executions in flight outlive a release.

use crate::{
    delivery::request,
    trip::{Fares, Rooms, Seats, TicketRefusal, World, trip_id, trip_saga},
};
use futures::executor::block_on;
use saga::{
    AbandonReply, Deployment, Direction, Entity, IfAbsent, NoticeMessage, Op, Reason, Refusal, Request,
    SagaId, Scalar, SettleReply, Settling, StartInput, WIRE_VERSION, Write, Writes,
    fence::{Fence, FenceState},
    serve,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Holds the format still and reads it back.
macro_rules! assert_wire {
    ($value:expr, @$snapshot:literal) => {{
        let value = $value;
        insta::assert_snapshot!(serde_json::to_string(&value).unwrap(), @$snapshot);
        assert_eq!(reread(&value), value);
    }};
}

fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn reason() -> Reason {
    Reason { step: "book-hotel".into(), error: "NoRoom".into(), cause: "\"NoRoom\"".into() }
}

#[test]
fn requests() {
    let mut run = request("book-hotel", Op::Run);
    run.input.retain(|name, _| name == "trip");
    assert_wire!(run, @r#"{"v":2,"saga":"trip","id":"trip-1","run":"72c9411b890f3a1b1c0927fa83dcf4ff","execution":"trip-1","step":"book-hotel","op":"run","token":"a-token","input":{"trip":{"price":120,"traveller":"Ada"}}}"#);
    assert_wire!(Request { reason: Some(reason()), ..request("book-hotel", Op::Undo) }, @r#"{"v":2,"saga":"trip","id":"trip-1","run":"72c9411b890f3a1b1c0927fa83dcf4ff","execution":"trip-1","step":"book-hotel","op":"undo","token":"a-token","input":{},"reason":{"step":"book-hotel","error":"NoRoom","cause":"\"NoRoom\""}}"#);
    let later = Request { if_absent: IfAbsent::Refuse, ..request("issue-tickets", Op::Settle) };
    assert_wire!(later, @r#"{"v":2,"saga":"trip","id":"trip-1","run":"72c9411b890f3a1b1c0927fa83dcf4ff","execution":"trip-1","step":"issue-tickets","op":"settle","token":"a-token","input":{},"if_absent":"refuse"}"#);
    let of_an_item = Request { item: Some("2".parse().unwrap()), ..request("book-hotel", Op::Abandon) };
    assert_wire!(of_an_item, @r#"{"v":2,"saga":"trip","id":"trip-1","run":"72c9411b890f3a1b1c0927fa83dcf4ff","execution":"trip-1","step":"book-hotel","item":"2","op":"abandon","token":"a-token","input":{}}"#);
    assert_wire!(request("issue-tickets", Op::Settle), @r#"{"v":2,"saga":"trip","id":"trip-1","run":"72c9411b890f3a1b1c0927fa83dcf4ff","execution":"trip-1","step":"issue-tickets","op":"settle","token":"a-token","input":{}}"#);
}

#[test]
fn start_input() {
    let start = StartInput::begin(trip_id(), json!({ "traveller": "Ada" }));
    assert_wire!(start.clone(), @r#"{"v":2,"id":"trip-1","run":"bbe53d1db9740cd7b28a1d0f2762810d","input":{"traveller":"Ada"}}"#);
    let settling = start.settled("trip-1", "ABORTED", 0);
    assert_wire!(settling.clone(), @r#"{"v":2,"id":"trip-1","run":"bbe53d1db9740cd7b28a1d0f2762810d","input":{"traveller":"Ada"},"settle":{"execution":"trip-1","status":"ABORTED","attempt":1}}"#);
    let again =
        settling.clone().settled("trip-1.settle-0123456789abcdef01234567", "FAILED", 0).settle.unwrap();
    assert_eq!((again.attempt, again.status.as_str(), again.turn), (2, "FAILED", None));
    // Whoever settles for one that was run again comes after it, whose turn is a thousand, or a thousand and one.
    let redriven = StartInput::begin(trip_id(), json!({})).settled("trip-1", "ABORTED", 1);
    assert_eq!(redriven.settle.as_ref().unwrap().turn, Some(1_001));
    assert_eq!(redriven.settled("x", "FAILED", 0).settle.unwrap().turn, Some(1_002));
    assert_eq!(settling.settled("x", "FAILED", 2).settle.unwrap().turn, Some(2_002));
}

#[test]
fn a_settling_execution_has_the_same_name_for_the_same_dead_execution_and_within_the_limit() {
    let arn = "arn:aws:states:eu-central-1:123456789012:execution:flyover-dev-trip:trip-1";
    insta::assert_snapshot!(Settling::execution_name(&trip_id(), arn), @"trip-1.settle-030354cc7d3ca93eb3306927");
    let longest = SagaId::try_from("x".repeat(80)).unwrap();
    let name = Settling::execution_name(&longest, arn);
    assert!(name.len() <= 80, "{name}");
    assert!(SagaId::try_from(name.clone()).is_err(), "a customer could choose {name}");
    assert_ne!(name, Settling::execution_name(&longest, &format!("{arn}x")));
}

#[test]
fn notices() {
    let message = NoticeMessage {
        v: WIRE_VERSION,
        notice: "TripBooked".into(),
        saga: "trip".parse().unwrap(),
        id: trip_id(),
        input: serde_json::Map::from_iter([("trip".to_owned(), json!({}))]),
        reason: None,
    };
    assert_wire!(message.clone(), @r#"{"v":2,"type":"TripBooked","saga":"trip","id":"trip-1","input":{"trip":{}}}"#);
    assert_wire!(NoticeMessage { reason: Some(reason()), ..message }, @r#"{"v":2,"type":"TripBooked","saga":"trip","id":"trip-1","input":{"trip":{}},"reason":{"step":"book-hotel","error":"NoRoom","cause":"\"NoRoom\""}}"#);
}

#[test]
fn abandon_replies() {
    assert_wire!(AbandonReply { was: Some(FenceState::Done), undone_since: false }, @r#"{"was":"done"}"#);
    assert_wire!(AbandonReply { was: None, undone_since: false }, @"{}");
    let since = AbandonReply { was: Some(FenceState::Undone), undone_since: true };
    assert_wire!(since, @r#"{"was":"undone","undone_since":true}"#);
}

#[test]
fn settle_replies() {
    let none = SettleReply { direction: Direction::Backward, output: None, error: None, cause: None };
    assert_wire!(none.clone(), @r#"{"direction":"backward"}"#);
    let refused = SettleReply { error: Some("FareExpired".into()), cause: Some("{}".into()), ..none.clone() };
    assert_wire!(refused, @r#"{"direction":"backward","error":"FareExpired","cause":"{}"}"#);
    let output = Some(json!({ "count": 1 }));
    assert_wire!(SettleReply { direction: Direction::Forward, output, ..none }, @r#"{"direction":"forward","output":{"count":1}}"#);
}

/// Writes with every change and every guard that a handler can ask for.
fn writes() -> Vec<Write> {
    let mut writes = Writes::new();
    writes
        .update::<Rooms>("ritz".to_owned())
        .subtract(Rooms::FREE, 1)
        .or_reject(TicketRefusal::FareExpired)
        .add(Rooms::BOOKED, 1)
        .at_most(Rooms::BOOKED, 9)
        .or_retry();
    writes.delete::<Seats>("12A".to_owned()).or_retry();
    writes.insert(Fares::row("fl-2".to_owned()).with(Fares::STATUS, "open")).or_retry();
    writes.insert(Seats::row("12B".to_owned()).with(Seats::CLASS, "eco")).or_retry();
    writes.update::<Fares>("fl-3".to_owned()).set(Fares::STATUS, "held");
    let fare = writes.update::<Fares>("fl-4".to_owned());
    fare.transition(Fares::STATUS, "open".to_owned(), "issued".to_owned()).or_retry();
    writes.finish(9).unwrap()
}

/// As the engine records them, when every item that it reads has only a price.
#[test]
fn writes_and_their_inverses() {
    let declared = BTreeMap::from([
        (Rooms::NAME, Rooms::FIELDS),
        (Seats::NAME, Seats::FIELDS),
        (Fares::NAME, Fares::FIELDS),
    ]);
    let old = Seats::row("12A".to_owned()).with(Seats::PRICE, 90).into_parts().1;
    let (mut writes, mut inverse) = (writes(), Vec::new());
    for write in &mut writes {
        let (declared, read) = (declared[&*write.key.entity], write.inverse_needs_old());
        inverse.push(write.inverse(read.then_some(&old), declared));
        if read {
            write.pin(Some(&old), declared);
        }
    }
    insta::assert_json_snapshot!("writes", writes);
    insta::assert_json_snapshot!("inverse_writes", inverse);
    assert_eq!((reread(&writes), reread(&inverse)), (writes, inverse));
}

#[test]
fn what_items_hold() {
    assert_wire!(Scalar::Number(-7), @"-7");
    assert_wire!(Scalar::Text("7".into()), @r#""7""#);
    assert_wire!(Scalar::Opaque { opaque: "true".into() }, @r#"{"opaque":"true"}"#);
}

#[test]
fn fences() {
    assert_wire!(Fence::Started, @r#""started""#);
    assert_wire!(Fence::Done { output: json!({ "nights": 2 }), inverse: Vec::new() }, @r#"{"done":{"output":{"nights":2},"inverse":[]}}"#);
    assert_wire!(Fence::Rejected(Refusal { error: "NoRoom".into(), cause: "{}".into() }), @r#"{"rejected":{"error":"NoRoom","cause":"{}"}}"#);
    assert_wire!(Fence::Undone, @r#""undone""#);
    assert_wire!(Fence::Abandoned { was: Some(FenceState::Done) }, @r#"{"abandoned":{"was":"done"}}"#);
}

#[test]
fn what_cannot_be_served_is_told() {
    let world = World::with_a_patient_network();
    let serve_hotel = |request: &Request| {
        block_on(serve(&world.hotel.0, &*world.hotel.1, &Deployment::in_memory(), request))
            .unwrap_err()
            .to_string()
    };
    let wrong_step = request("issue-tickets", Op::Run);
    insta::assert_snapshot!(serve_hotel(&wrong_step), @r#"step `issue-tickets` is not served here: this participant owns ["book-hotel"]"#);
    insta::assert_snapshot!(serve_hotel(&request("book-hotel", Op::Settle)), @"step `book-hotel` has no `settle`");
    let mut missing = request("book-hotel", Op::Run);
    missing.input.remove("trip");
    insta::assert_snapshot!(serve_hotel(&missing), @"step `book-hotel`: `input.trip` is missing");
    missing.input.insert("trip".into(), Json::Bool(true));
    insta::assert_snapshot!(serve_hotel(&missing), @"step `book-hotel`: `input.trip` does not fit: invalid type: boolean …, expected struct Trip");
}

#[test]
fn what_does_not_fit_is_told_without_what_was_given() {
    let world = World::with_a_patient_network();
    let mut unfit = request("book-hotel", Op::Run);
    let given =
        [json!("nancy"), json!(271_828), json!([{ "trip_id": "nancy" }]), json!({ "trip_id": 271_828 })];
    for given in given {
        unfit.input.insert("trip".into(), given);
        let served = block_on(serve(&world.hotel.0, &*world.hotel.1, &Deployment::in_memory(), &unfit));
        let why = served.unwrap_err().to_string();
        assert!(why.starts_with("step `book-hotel`: `input.trip` does not fit: "), "{why}");
        assert!(!why.contains("nancy") && !why.contains("2718"), "{why}");
    }
    for body in [r#"{"v":"nancy"}"#, r#"{"v":2,"saga":"Nancy","id":"nancy"}"#, r#"{"v":2,"op":"nancy"}"#] {
        let why = Request::decode(body).unwrap_err().to_string();
        assert!(!why.to_lowercase().contains("nancy"), "{why}");
    }
}

#[test]
fn an_undo_and_a_settle_need_no_input() {
    let world = World::with_a_patient_network();
    assert!(request("book-hotel", Op::Undo).input.is_empty());
    let here = Deployment::in_memory();
    block_on(serve(&world.hotel.0, &*world.hotel.1, &here, &request("book-hotel", Op::Undo))).unwrap();
    let settle = request("issue-tickets", Op::Settle);
    block_on(serve(&world.airline.0, &*world.airline.1, &here, &settle)).unwrap();
}

#[test]
fn wire_names_of_the_saga() {
    insta::assert_json_snapshot!("definition", trip_saga().definition());
}
