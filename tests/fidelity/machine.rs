//! Emitted machines, driven by the same answers through the checker's interpreter and through the emulator: that of orders,
//! and one with everything that orders have none of.

use crate::{
    aws,
    script::{Answer, SCRIPTS, Script, TRIP_SCRIPTS},
    trip,
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use saga_check::asl::{Effect, Event, Execution, Machine, Run};
use sagas::order::ORDER_SAGA;
use serde_json::{Value as Json, json};
use stacks::Stage;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A machine, and who is asked.
struct Subject {
    name: &'static str,
    definition: String,
    participants: &'static [&'static str],
    /// Steps that run at the same time: in which order their states are entered is open.
    at_once: &'static [&'static str],
}

impl Subject {
    fn orders() -> Self {
        let participants = &["Orders", "Inventory", "Payment"];
        Self { name: "order", definition: emitted(), participants, at_once: &[] }
    }

    fn trips() -> Self {
        let definition = trip::emitted();
        Self { name: "trip", definition, participants: trip::PARTICIPANTS, at_once: trip::AT_ONCE }
    }

    /// States as they are told apart: one after the other, and those that are entered at once left out.
    fn in_order(&self, mut states: Vec<String>) -> Vec<String> {
        states.retain(|state| !self.at_once.contains(&state.as_str()));
        states.dedup();
        states
    }
}

/// What can be seen of an execution from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    /// The states, in order; a retry does not enter its state again.
    states: Vec<String>,
    output: Json,
}

fn emitted() -> String {
    let app = stacks::synth(Stage::Dev).expect("the stacks can be synthesised");
    let machine = app.machines.iter().find(|machine| machine.saga == ORDER_SAGA).expect("the saga of orders");
    serde_json::to_string(&machine.machine).expect("a state machine is JSON")
}

fn input(name: &str) -> Json {
    json!({ "v": 1, "id": name, "input": { "order_id": name } })
}

fn what(body: &Json) -> String {
    let text = |member: &str| body[member].as_str().unwrap_or("?");
    format!("{} {}", text("op"), text("step"))
}

fn interpreted(subject: &Subject, script: &Script) -> Seen {
    let machine = Machine::parse(&subject.definition).expect("the emitted machine is interpreted");
    let execution = Execution { machine: 0, saga: 0, name: script.name.into(), input: input(script.name) };
    let mut run = Run::new(execution);
    let mut states: Vec<String> = Vec::new();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut next = VecDeque::from([Event::Start]);
    while let Some(event) = next.pop_front() {
        let moved = run.moves(&machine, &event, u32::MAX).swap_remove(0);
        states.extend(moved.entered);
        run = moved.run;
        for effect in moved.effects {
            match effect {
                Effect::Send { branch, arguments } => {
                    let what = what(&arguments["MessageBody"]);
                    let times = asked.entry(what.clone()).or_default();
                    let answer = script.answer(&what, *times);
                    *times += 1;
                    next.push_back(match answer {
                        Answer::Success(output) => Event::Success { branch, output },
                        Answer::Failure(error) => Event::Failure {
                            branch,
                            error: error.into(),
                            cause: "by script".into(),
                            used_up: false,
                        },
                    });
                }
                Effect::Park { branch, .. } => {
                    next.push_back(Event::Success { branch, output: script.decision() });
                }
                _ => {}
            }
        }
    }
    let states = subject.in_order(states);
    match run.end() {
        Some(saga_check::asl::End::Succeeded(output)) => Seen { states, output: output.clone() },
        other => panic!("{} ends with {other:?} after {states:?}", script.name),
    }
}

struct Deployed {
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    machine: String,
    queues: Vec<String>,
}

const PARKED: &str = "parked";
const ANSWERS_MAX: usize = 50;

async fn deploy(emulator: &emulator::Emulator, subject: &Subject) -> Deployed {
    let config = aws::config(emulator).await;
    let (sfn, sqs) = (aws_sdk_sfn::Client::new(&config), aws_sdk_sqs::Client::new(&config));
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let topic =
        aws_sdk_sns::Client::new(&config).create_topic().name("notices").send().await.expect("a topic");
    let mut definition = subject
        .definition
        .replace("${NoticeTopicArn}", topic.topic_arn().unwrap_or_default())
        .replace("${ParkedTableName}", PARKED)
        .replace("${Partition}", "aws");
    let mut queues = Vec::new();
    for participant in subject.participants {
        let queue = sqs.create_queue().queue_name(*participant).send().await.expect("a queue");
        let url = queue.queue_url().unwrap_or_default().to_owned();
        definition = definition.replace(&format!("${{QueueUrl{participant}}}"), &url);
        queues.push(url);
    }
    create_parked_table(&dynamodb).await;
    let machine = sfn
        .create_state_machine()
        .name(subject.name)
        .definition(definition)
        .role_arn("arn:aws:iam::000000000000:role/machine")
        .send()
        .await
        .expect("a state machine");
    Deployed { sfn, sqs, dynamodb, machine: machine.state_machine_arn().to_owned(), queues }
}

async fn create_parked_table(dynamodb: &aws_sdk_dynamodb::Client) {
    let mut table = dynamodb.create_table().table_name(PARKED).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("saga_id", KeyType::Hash), ("what", KeyType::Range)] {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        table = table
            .attribute_definitions(attribute.build().expect("an attribute"))
            .key_schema(key.build().expect("a key"));
    }
    table.send().await.expect("a table");
}

impl Deployed {
    async fn run(&self, subject: &Subject, script: &Script) -> Seen {
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(&self.machine)
            .name(script.name)
            .input(input(script.name).to_string())
            .send()
            .await
            .expect("an execution");
        let execution = started.execution_arn();
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let described =
                self.sfn.describe_execution().execution_arn(execution).send().await.expect("known");
            match described.status().as_str() {
                "RUNNING" => {}
                "SUCCEEDED" => {
                    let output = described.output().unwrap_or("null");
                    let output = serde_json::from_str(output).expect("the output is JSON");
                    return Seen { states: subject.in_order(self.states(execution).await), output };
                }
                other => panic!("{} is {other}: {described:?}", script.name),
            }
            for queue in &self.queues {
                self.answer_all(queue, script, &mut asked).await;
            }
            self.decide(script).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn answer_all(&self, queue: &str, script: &Script, asked: &mut BTreeMap<String, usize>) {
        let received = self.sqs.receive_message().queue_url(queue).send().await.expect("messages");
        for message in received.messages() {
            let body: Json = serde_json::from_str(message.body().unwrap_or_default()).expect("JSON");
            let receipt = message.receipt_handle().unwrap_or_default();
            self.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.expect("deleted");
            let (what, token) = (what(&body), body["token"].as_str().unwrap_or_default());
            let times = asked.entry(what.clone()).or_default();
            self.answer(token, &script.answer(&what, *times)).await;
            *times += 1;
        }
    }

    /// LocalStack sends a message before it knows the token in it.
    async fn answer(&self, token: &str, answer: &Answer) {
        for _ in 0..ANSWERS_MAX {
            let is_known = match answer {
                Answer::Success(output) => {
                    let send = self.sfn.send_task_success().task_token(token).output(output.to_string());
                    send.send().await.map(drop).map_err(|error| format!("{error:?}"))
                }
                Answer::Failure(error) => {
                    let send = self.sfn.send_task_failure().task_token(token).error(*error);
                    let sent = send.cause("by script").send().await;
                    sent.map(drop).map_err(|error| format!("{error:?}"))
                }
            };
            match is_known {
                Ok(()) => return,
                Err(error) if error.contains("InvalidToken") => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{answer:?} is refused: {error}"),
            }
        }
        panic!("a token is not known after {ANSWERS_MAX} tries: {answer:?}, {token:?}");
    }

    /// What the operator says to this script's parked records.
    async fn decide(&self, script: &Script) {
        let scanned =
            self.dynamodb.scan().table_name(PARKED).consistent_read(true).send().await.expect("items");
        for item in scanned.items() {
            let text = |name: &str| item.get(name).and_then(|value| AttributeValue::as_s(value).ok());
            let (Some(id), Some(token)) = (text("saga_id"), text("task_token")) else { continue };
            if id == script.name {
                let output = script.decision().to_string();
                // Answered before, when the record is not deleted yet.
                let _ = self.sfn.send_task_success().task_token(token).output(output).send().await;
            }
        }
    }

    async fn states(&self, execution: &str) -> Vec<String> {
        let mut states = Vec::new();
        let mut pages = self.sfn.get_execution_history().execution_arn(execution).into_paginator().send();
        while let Some(page) = pages.next().await {
            for event in page.expect("history").events() {
                if let Some(entered) = event.state_entered_event_details() {
                    states.push(entered.name().to_owned());
                }
            }
        }
        states
    }
}

fn go_the_same_way(subject: &Subject, scripts: &[Script]) {
    let emulator = aws::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let deployed = deploy(&emulator, subject).await;
        for script in scripts {
            let (expected, seen) = (deployed.run(subject, script).await, interpreted(subject, script));
            assert_eq!(seen, expected, "script `{}`: the interpreter is on the left", script.name);
        }
    });
}

#[test]
fn the_interpreter_and_the_emulator_go_the_same_way() {
    go_the_same_way(&Subject::orders(), &SCRIPTS);
}

#[test]
fn they_do_with_steps_at_the_same_time_and_after_the_pivot() {
    go_the_same_way(&Subject::trips(), &TRIP_SCRIPTS);
}
