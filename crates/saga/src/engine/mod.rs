//! Carries out one operation of one step against a store: the fence protocol with its transactions.

mod decide;
mod undo;

pub(crate) use decide::{abandon, recall, settle};
pub(crate) use undo::{undo, undo_outside};

use crate::{
    commit::Commit,
    entity::{Entities, EntitySpec},
    fence::{Fence, OnRun, Recorded, on_run},
    handler::{Context, Fault, Handle, HandleOutside, Retry},
    number::{MAX_EXACT, inexact},
    redact::redacted,
    rejection::Refusal,
    serve::{Handled, Outcomes},
    step::{Participant, Step},
    store::{Refused, Store, Transaction},
    value::Value,
    write::Write,
};
use serde_json::Value as Json;
use std::fmt::{self, Write as _};

/// How often one message is tried against a fence or an item that keeps moving, before it is left to redelivery.
const ATTEMPTS: usize = 4;

/// Runs a step whose effects are all in the store. `undoable`: record the inverse.
pub(crate) async fn run<S: Step, H: Handle<S>>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
    input: S::Input,
    undoable: bool,
) -> Result<Handled, Retry> {
    let decided = decide::<S>(handler.run(cx, input).await)?;
    let undoable = undoable.then(entities::<S>);
    let concluded = match conclude(store, cx, None, &decided, undoable).await? {
        Concluded::Refused(refusal) => conclude(store, cx, None, &Err(refusal), None).await?,
        concluded => concluded,
    };
    match concluded {
        Concluded::Reply(handled) => Ok(handled),
        Concluded::Moved(now) => answer_lastingly(store, cx, now).await,
        Concluded::Refused(_) => Err(Retry("a rejection could not be recorded".into())),
    }
}

/// What a run is answered by the fence alone; nothing while the step can still be carried out, or has to be reversed.
pub(crate) async fn recorded(
    store: &impl Store,
    cx: &Context,
    is_outside: bool,
) -> Result<Option<Handled>, Retry> {
    let fence = store.read_fence(cx.key()).await?;
    match on_run(fence.as_ref(), cx.run()) {
        OnRun::Run => Ok(None),
        OnRun::TooLate | OnRun::ReplyRejected(_) if is_outside => Ok(None),
        _ => answer_lastingly(store, cx, fence).await.map(Some),
    }
}

/// Runs a step with an outside effect: absent, started, done. It calls only once the fence is known to say `started`, so that
/// no effect stands without a fence.
///
/// A rejection is recorded before what the call did is reversed: reversed first, a crash in between would let the next
/// delivery take the peer's old answer for a charge that is no longer there.
pub(crate) async fn run_outside<S: Step, H: HandleOutside<S>>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
    input: S::Input,
) -> Result<Handled, Retry> {
    let claimed = store.apply(&moving(cx, None, Fence::Started, Vec::new())).await;
    let first = claimed.is_ok();
    let mut started = Recorded { run: cx.run().cloned(), turn: 0, fence: Fence::Started };
    if let Err(refused) = claimed {
        let Some(now) = moved(refused)? else { return Err(not_claimed()) };
        if on_run(Some(&now), cx.run()) != OnRun::Run {
            return answer_outside(handler, store, cx, Some(now)).await;
        }
        started = now;
    }
    let decided = decide::<S>(handler.call(cx, input).await)?;
    let may_have_landed = decided.is_ok() || !first;
    let concluded = match conclude(store, cx, Some(&started), &decided, Some(entities::<S>())).await? {
        Concluded::Refused(refusal) => conclude(store, cx, Some(&started), &Err(refusal), None).await?,
        concluded => concluded,
    };
    match concluded {
        Concluded::Reply(handled) => {
            if may_have_landed && handled.outcome == Outcomes::Rejected {
                handler.reverse(cx).await?;
            }
            Ok(handled)
        }
        Concluded::Moved(now) => answer_outside(handler, store, cx, now).await,
        Concluded::Refused(_) => Err(Retry("a rejection could not be recorded".into())),
    }
}

/// What a handler decided, ready to be written: output and writes, or a rejection.
type Decided = Result<(Json, Vec<Write>), Refusal>;

fn decide<S: Step>(result: Result<Commit<S>, Fault<S::Rejection>>) -> Result<Decided, Retry> {
    let commit = match result {
        Ok(commit) => commit,
        Err(Fault::Rejected(rejection)) => return Ok(Err(Refusal::of(&rejection))),
        Err(Fault::Retry(retry)) => return Err(retry),
    };
    let (output, writes) = commit.finish().map_err(|error| Retry(error.to_string()))?;
    check_owned::<S>(&writes)?;
    let output = serde_json::to_value(&output).map_err(|error| {
        let why = redacted(&error.to_string()).into_owned();
        Retry(format!("the output of `{}` is not JSON: {why}", S::NAME))
    })?;
    let (bytes, most) = (bytes_of(&output), S::Output::MAX_BYTES);
    if bytes > most {
        let name = S::Output::NAME;
        return Err(Retry(format!("the value `{name}` has {bytes} bytes, but `MAX_BYTES` allows {most}")));
    }
    if inexact(&output).is_some() {
        let name = S::Output::NAME;
        return Err(Retry(format!(
            "the value `{name}` has a whole number that would lose digits in the state machine: only those within \
             ±{MAX_EXACT} are kept; carry it as text"
        )));
    }
    Ok(Ok((output, writes)))
}

/// Nobody has a table for what a participant does not own: told here, so that a store in memory tells it too.
fn check_owned<S: Step>(writes: &[Write]) -> Result<(), Retry> {
    let owned = |write: &Write| entities::<S>().iter().any(|entity| entity.name == write.key.entity);
    let Some(write) = writes.iter().find(|write| !owned(write)) else { return Ok(()) };
    let (step, entity) = (S::NAME, &write.key.entity);
    Err(Retry(format!(
        "the step `{step}` writes `{entity}`, which is not among the entities of its participant: add it to `type \
         Entities`"
    )))
}

/// The length of the value as JSON text, without writing the text down.
fn bytes_of(json: &Json) -> usize {
    struct Count(usize);

    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }

    let mut count = Count(0);
    // Neither a JSON value nor the counter can fail to be written.
    let _ = write!(count, "{json}");
    count.0
}

enum Concluded {
    /// Written, or found written before.
    Reply(Handled),
    /// The fence was not in the expected state: nothing is written.
    Moved(Option<Recorded>),
    /// A guard stands for this rejection: nothing is written.
    Refused(Refusal),
}

/// Writes what was decided, together with the fence that was found. `undoable`: the entities of the participant, when
/// the inverse is to be recorded.
async fn conclude(
    store: &impl Store,
    cx: &Context,
    found: Option<&Recorded>,
    decided: &Decided,
    undoable: Option<&[EntitySpec]>,
) -> Result<Concluded, Retry> {
    // Only an item that is read and pinned can be different on the next look.
    let pinned = undoable.is_some()
        && matches!(decided, Ok((_, writes)) if writes.iter().any(Write::inverse_needs_old));
    let mut last = Retry("the items kept changing".into());
    for _ in 0..if pinned { ATTEMPTS } else { 1 } {
        let (next, writes) = match decided {
            Ok((output, writes)) => with_inverse(store, output, writes, undoable).await?,
            Err(refusal) => (Fence::Rejected(refusal.clone()), Vec::new()),
        };
        let transaction = moving(cx, found, next, writes);
        match store.apply(&transaction).await {
            Ok(()) => {
                let written = transaction.recorded();
                return answer(cx, Some(&written)).map(|handled| Concluded::Reply(handled.first()));
            }
            Err(Refused::Fence(now)) => return Ok(Concluded::Moved(now)),
            Err(Refused::Guard { refusal: Some(refusal), .. }) => return Ok(Concluded::Refused(refusal)),
            Err(Refused::Guard { what, refusal: None }) => last = Retry(what),
            Err(Refused::Unavailable(unavailable)) => return Err(unavailable.into()),
        }
    }
    Err(last)
}

/// The `done` fence with the inverse of the writes. Where the inverse depends on the item as it was, the item is read
/// and pinned, to what is absent too. A write that only checks has nothing to reverse.
async fn with_inverse(
    store: &impl Store,
    output: &Json,
    writes: &[Write],
    undoable: Option<&[EntitySpec]>,
) -> Result<(Fence, Vec<Write>), Retry> {
    let mut writes = writes.to_vec();
    let mut inverse = Vec::new();
    if let Some(entities) = undoable {
        for write in writes.iter_mut().filter(|write| !write.only_checks()) {
            let declared = EntitySpec::fields_of(entities, &write.key.entity);
            if !write.inverse_needs_old() {
                inverse.push(write.inverse(None, declared));
                continue;
            }
            let old = store.read_row(&write.key).await?;
            inverse.push(write.inverse(old.as_ref(), declared));
            write.pin(old.as_ref(), declared);
        }
    }
    Ok((Fence::Done { output: output.clone(), inverse }, writes))
}

/// What the participant of a step stores.
fn entities<S: Step>() -> &'static [EntitySpec] {
    <S::Participant as Participant>::Entities::SPECS
}

/// The answer to a run that finds this fence.
fn answer(cx: &Context, fence: Option<&Recorded>) -> Result<Handled, Retry> {
    match on_run(fence, cx.run()) {
        OnRun::Run => Err(Retry("another delivery of this message is under way".into())),
        OnRun::ReplyDone(output) => Ok(Handled::success(Outcomes::DoneBefore, output.clone())),
        OnRun::ReplyRejected(refusal) => Ok(Handled::rejected(Outcomes::RejectedBefore, refusal)),
        OnRun::TooLate => Ok(Handled::too_late()),
        OnRun::Abandoned => Ok(Handled::abandoned()),
        OnRun::OtherRun => Ok(Handled::other_run()),
    }
}

/// The answer to a run with an outside effect that finds this fence. Where the step is to have no effect, it is
/// reversed by its key whether or not this delivery called: the request of a dead process can still land.
async fn answer_outside<S: Step, H: HandleOutside<S>>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
    fence: Option<Recorded>,
) -> Result<Handled, Retry> {
    if matches!(on_run(fence.as_ref(), cx.run()), OnRun::TooLate | OnRun::ReplyRejected(_)) {
        handler.reverse(cx).await?;
    }
    answer_lastingly(store, cx, fence).await
}

/// As [`answer`]. A run that is turned away because of another one records nothing, so the fence that turns it away is kept
/// for as long as a message of this run can come back.
async fn answer_lastingly(
    store: &impl Store,
    cx: &Context,
    mut fence: Option<Recorded>,
) -> Result<Handled, Retry> {
    for _ in 0..ATTEMPTS {
        if on_run(fence.as_ref(), cx.run()) != OnRun::OtherRun {
            return answer(cx, fence.as_ref());
        }
        match renew(store, cx, fence.as_ref()).await? {
            None => return Ok(Handled::other_run()),
            Some(now) => fence = now,
        }
    }
    Err(fence_kept_moving())
}

/// Moves the fence from what was found. A run that is known stays known.
fn moving(cx: &Context, found: Option<&Recorded>, next: Fence, writes: Vec<Write>) -> Transaction {
    let run = cx.run().or_else(|| found?.run.as_ref()).cloned();
    let expected = found.map(|recorded| recorded.fence.state());
    Transaction { fence: cx.key().clone(), run, turn: cx.turn(), expected, next, writes }
}

/// Writes the fence of another run again as it is, so that it is kept for as long as a message of this run can come back:
/// it stands in for the tombstone that has no place beside it. Gives the fence as it is now when it has moved.
async fn renew(
    store: &impl Store,
    cx: &Context,
    found: Option<&Recorded>,
) -> Result<Option<Option<Recorded>>, Retry> {
    let Some(Recorded { run, turn, fence }) = found else { return Ok(None) };
    let (expected, next) = (Some(fence.state()), fence.clone());
    let (run, turn, writes) = (run.clone(), *turn, Vec::new());
    let again = Transaction { fence: cx.key().clone(), run, turn, expected, next, writes };
    match store.apply(&again).await {
        Ok(()) => Ok(None),
        Err(refused) => moved(refused).map(Some),
    }
}

/// A store that tells no more than this has lost the fence in between, or contradicts itself. Without a fence nobody would
/// reverse the call.
fn not_claimed() -> Retry {
    Retry("the fence was not written though none was in its way: the call is not made".into())
}

fn fence_kept_moving() -> Retry {
    Retry("the fence kept moving".into())
}

/// The fence as it is now, when that is why a transaction was refused.
fn moved(refused: Refused) -> Result<Option<Recorded>, Retry> {
    match refused {
        Refused::Fence(now) => Ok(now),
        Refused::Guard { what, .. } => Err(Retry(what)),
        Refused::Unavailable(unavailable) => Err(unavailable.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{Deployment, StepKey},
        memory::MemoryStore,
        message::Request,
        store::Unavailable,
        write::{Change, Condition, FieldChange, Guard, Row, RowKey, Scalar},
    };
    use futures::executor::block_on;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn key() -> RowKey {
        RowKey { entity: "stock".into(), attribute: "sku".into(), value: "a".into() }
    }

    fn exists(change: Change) -> Write {
        Write { key: key(), change, guards: vec![Guard { condition: Condition::Exists, refusal: None }] }
    }

    fn cx() -> Context {
        let request = r#"{"v":1,"saga":"shop","id":"s","execution":"s","step":"reserve","op":"run","token":"t","input":{}}"#;
        Context::of(&Deployment::in_memory(), &Request::decode(request).unwrap(), "reserve")
    }

    fn inverse(fence: Option<Fence>) -> Vec<Write> {
        match fence {
            Some(Fence::Done { inverse, .. }) => inverse,
            other => panic!("{other:?}"),
        }
    }

    fn row(state: &str) -> Row {
        Row::from([("state".into(), Scalar::Text(state.into()))])
    }

    /// A store where somebody else writes the item after it was first read.
    struct Raced {
        store: MemoryStore,
        then: std::sync::Mutex<Option<Row>>,
    }

    impl Store for Raced {
        async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
            self.store.read_fence(key).await
        }

        async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
            let read = self.store.row(key);
            if let Some(row) = self.then.lock().unwrap().take() {
                self.store.put(key.clone(), row);
            }
            Ok(read)
        }

        async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
            self.store.apply_now(transaction)
        }
    }

    /// The inverse recorded for `change` when the item was `first`, and somebody else made it `then` meanwhile.
    fn recorded(change: Change, first: Option<Row>, then: Option<Row>) -> Vec<Write> {
        let raced = Raced { store: MemoryStore::new(), then: std::sync::Mutex::new(then) };
        if let Some(row) = first {
            raced.store.put(key(), row);
        }
        let decided = Ok((json!(1), vec![exists(change)]));
        assert!(matches!(
            block_on(conclude(&raced, &cx(), None, &decided, Some(&[]))),
            Ok(Concluded::Reply(_))
        ));
        inverse(raced.store.fence(cx().key()))
    }

    #[test]
    fn the_inverse_restores_what_was_there_when_the_write_was_done() {
        for first in [None, Some(row("old"))] {
            let inverse = recorded(Change::Delete, first.clone(), Some(row("new")));
            assert_eq!(inverse[0].change, Change::Insert(row("new")), "the item was {first:?}");
            let set = BTreeMap::from([("state".into(), FieldChange::Set(Scalar::Text("mine".into())))]);
            let inverse = recorded(Change::Update(set), first.clone(), Some(row("new")));
            let back = BTreeMap::from([("state".into(), FieldChange::Set(Scalar::Text("new".into())))]);
            assert_eq!(inverse[0].change, Change::Update(back), "the item was {first:?}");
        }
    }

    #[test]
    fn a_check_has_nothing_to_reverse() {
        assert_eq!(recorded(Change::Update(BTreeMap::new()), Some(row("any")), None), []);
    }

    #[test]
    fn an_item_that_never_stands_still_is_left_to_redelivery() {
        let decided = Ok((json!(1), vec![exists(Change::Delete)]));
        let store = MemoryStore::new();
        let Err(retry) = block_on(conclude(&store, &cx(), None, &decided, Some(&[]))) else {
            panic!("written")
        };
        assert_eq!(retry.to_string(), "stock/a: Exists does not hold");
        assert_eq!(store.fence(cx().key()), None);
    }
}
