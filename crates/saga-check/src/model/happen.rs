//! What an event does to an execution, and what that execution then does to the world.

use super::{
    notices::Notice,
    state::{Flight, INTEGRATION_FAILED, State, VOID, token},
    tables::{Done, Message, Move, Parked, Tables, Wanted, Work},
};
use crate::{
    asl::{Effect, End, Moved, Run},
    intern::Id,
};
use saga_executions::{Report, Status};
use serde_json::{Value as Json, json};
use std::sync::Arc;

impl Tables {
    pub(crate) fn moves(&self, run: Id, event: Id) -> &[Move] {
        self.moves.get((run, event), || {
            let before = self.runs.value(run);
            let machine = self.machine_of(before.execution());
            let moved = before.moves(machine, self.events.value(event), self.limits.retries);
            let in_numbers = |moved: Moved| Move {
                effects: moved.effects.into_iter().map(|effect| self.done(&moved.run, effect)).collect(),
                failed: moved.failed,
                broken: self.broken(moved.unevaluated),
                run: self.runs.id(moved.run),
            };
            // Where nothing can settle what a dead execution left, an integration that fails for good and is not caught
            // is an incident and not explored.
            let alive = |moved: &Moved| {
                moved.failed.is_none()
                    || machine.settles()
                    || !matches!(moved.run.end(), Some(End::Failed { .. }))
            };
            moved.into_iter().filter(alive).map(in_numbers).collect()
        })
    }

    fn done(&self, run: &Run, effect: Effect) -> Done {
        match effect {
            Effect::Send { branch, arguments } => self.sent(run, branch, &arguments),
            Effect::Park { branch, arguments } => {
                Done::Park { branch, key: key_of(&arguments["Item"]), item: item_of(&arguments) }
            }
            Effect::PutItem { arguments } => {
                Done::Put { key: key_of(&arguments["Item"]), item: item_of(&arguments) }
            }
            Effect::UpdateItem { arguments } => {
                Done::Set { key: key_of(&arguments["Key"]), attributes: attributes_of(&arguments) }
            }
            Effect::DeleteItem { arguments } => Done::Delete { key: key_of(&arguments["Key"]) },
            Effect::Publish { arguments } if !arguments["TopicArn"].is_string() => {
                Done::Lost { why: "a notice has no topic".into() }
            }
            Effect::Publish { arguments } => {
                Done::Publish { notice: Notice::of(run, &arguments), fails: false }
            }
            Effect::Unpublished { arguments } => {
                Done::Publish { notice: Notice::of(run, &arguments), fails: true }
            }
            Effect::Void { branch } => Done::Void { branch },
        }
    }

    fn sent(&self, run: &Run, branch: u8, arguments: &Json) -> Done {
        let queue = arguments["QueueUrl"].as_str().unwrap_or_default();
        let Some(host) = self.handlers.hosts.iter().position(|host| host.queue == queue) else {
            return Done::Lost {
                why: format!("a message is sent to `{queue}`, which is the queue of nobody"),
            };
        };
        let body = match &arguments["MessageBody"] {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        // The token is told apart by who waits, so that equal messages of different times are one.
        let token = run.token(branch);
        let text = |member: &str| arguments["MessageBody"][member].as_str().unwrap_or("?").to_owned();
        let what = format!("{} {}", text("op"), text("step"));
        let answerable = body.contains(&token);
        let (saga_id, of) = (text("id"), Wanted::of(&body));
        let work = Work::Request { host, body: body.replace(&token, "token"), of };
        let message = Message { work, what, saga_id };
        Done::Send { branch, message: self.messages.id(message), answerable }
    }

    /// Lets an event happen to an execution. `way`: see [`Run::moves`].
    pub(super) fn happen(&self, state: &mut State, slot: usize, event: Id, way: usize) {
        let before = (state.runs[slot], event, way);
        let Some(moved) = self.moves(state.runs[slot], event).get(way) else { return };
        state.runs[slot] = moved.run;
        state.verdict = state.verdict.max(moved.broken);
        self.report(state, slot);
        if moved.failed.is_some() {
            state.flags |= INTEGRATION_FAILED;
        }
        for (place, effect) in moved.effects.iter().enumerate() {
            match effect {
                Done::Send { branch, message, answerable } => {
                    let token = if *answerable { token(slot, *branch) } else { VOID };
                    state.add(Flight::new(*message, token));
                }
                Done::Lost { why } => state.verdict = self.verdicts.id(why.clone()),
                Done::Publish { notice, fails } => self.publish(state, notice, *fails),
                Done::Void { branch } => {
                    let token = token(slot, *branch);
                    state.void(token);
                    state.parked = self.voided.get((state.parked, token), || {
                        let mut parked = self.parked.value(state.parked).clone();
                        for (_, answers) in parked.values_mut().filter(|(_, answers)| *answers == token) {
                            *answers = VOID;
                        }
                        self.parked.id(parked)
                    });
                }
                Done::Park { .. } | Done::Put { .. } | Done::Set { .. } | Done::Delete { .. } => {
                    let key = (state.parked, before, slot, place);
                    state.parked = self.parkings.get(key, || {
                        let mut parked = self.parked.value(state.parked).clone();
                        park(&mut parked, slot, effect);
                        self.parked.id(parked)
                    });
                }
            }
        }
    }

    /// The event that an execution died.
    fn report(&self, state: &mut State, slot: usize) {
        let standing = self.standing(state.runs[slot]);
        let (Status::Dead(death), true) = (standing.status, standing.settles) else { return };
        let message = self.reports.get(state.runs[slot], || {
            let report = Report { execution: standing.arn.clone(), death, redrives: standing.redrives };
            let saga_id = standing.name.clone();
            self.messages.id(Message { work: Work::Report(report), what: "rescue".into(), saga_id })
        });
        state.add(Flight::new(*message, VOID));
    }
}

/// What an effect of the execution in this place does to the table of parked sagas.
fn park(parked: &mut Parked, slot: usize, effect: &Done) {
    match effect {
        Done::Park { branch, key, item } => {
            parked.insert(key.clone(), (item.clone(), token(slot, *branch)));
        }
        Done::Put { key, item } => {
            parked.insert(key.clone(), (item.clone(), VOID));
        }
        Done::Set { key, attributes } => {
            let (item, _) = parked.entry(key.clone()).or_insert_with(|| (Arc::default(), VOID));
            for (name, value) in attributes {
                Arc::make_mut(item)[name] = value.clone();
            }
        }
        Done::Delete { key } => {
            parked.remove(key);
        }
        Done::Send { .. } | Done::Lost { .. } | Done::Publish { .. } | Done::Void { .. } => {}
    }
}

/// The key of an item of the table of parked sagas.
fn key_of(item: &Json) -> String {
    json!([item["saga_id"]["S"], item["what"]["S"]]).to_string()
}

/// The item that is written.
fn item_of(arguments: &Json) -> Arc<Json> {
    Arc::new(arguments["Item"].clone())
}

/// The attributes that an update sets. Its form was checked when the machine was read.
fn attributes_of(arguments: &Json) -> Vec<(String, Json)> {
    let sets = arguments["UpdateExpression"].as_str().and_then(|update| update.strip_prefix("SET "));
    let attribute = |set: &str| {
        let (name, value) = set.split_once(" = ")?;
        let name = arguments["ExpressionAttributeNames"][name].as_str()?;
        Some((name.to_owned(), arguments["ExpressionAttributeValues"][value].clone()))
    };
    sets.unwrap_or_default().split(", ").filter_map(attribute).collect()
}
