//! The stack of `benches/peers/cdk/app.js` in Rust: the queues, functions, tables, topics, state machine and alarms of the
//! order saga. Permissions stand in the roles here and in resources of their own there.
//!
//! `cargo run --release -p cfn --example order_saga [FILE]` writes the template to a file, or prints it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use cfn::cloudwatch::{ComparisonOperator, MissingData};
use cfn::dynamodb::{
    AttributeDefinition, AttributeType, BillingMode, KeySchema, PointInTimeRecovery, Sse, Table, TimeToLive,
};
use cfn::iam::Role;
use cfn::lambda::{
    Architecture, Code, EventSourceMapping, Function, FunctionResponseType, Logging, Runtime, ScalingConfig,
    Tracing, TracingMode,
};
use cfn::logs::{LogGroup, RetentionInDays};
use cfn::policy::PolicyDocument;
use cfn::sns::{Subscription, Topic};
use cfn::sqs::{Queue, QueuePolicy, RedrivePolicy, queue_policy};
use cfn::stepfunctions::{StateMachine, TracingConfiguration};
use cfn::{Bytes, Declare, Handle, Metric, Removal, Template, Value, grants};
use serde_json::Value as Json;

const ASL_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/templates/prod/order.asl.json");
const PARTICIPANTS: [(&str, &str); 3] =
    [("Orders", "order_id"), ("Inventory", "sku"), ("Payment", "charge_id")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = stack(&std::fs::read_to_string(ASL_FILE)?)?;
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(file, built.to_yaml())?,
        None => std::io::stdout().lock().write_all(built.to_yaml().as_bytes())?,
    }
    Ok(())
}

fn stack(definition: &str) -> Result<cfn::BuiltTemplate, Box<dyn std::error::Error>> {
    let mut template = Template::new("The order saga");
    let operators = template.add("OperatorsTopic", Topic::new());
    let orders = template.add("OrderTopic", Topic::new());
    let events = template.add("OrderEventsTopic", Topic::new());
    let parked = table(&mut template, "ParkedTable", ["saga_id", "what"], None);

    let mut queues = BTreeMap::new();
    for (name, key) in PARTICIPANTS {
        let entity = table(&mut template, &format!("{name}Table"), [key], None);
        let fences =
            table(&mut template, &format!("{name}FenceTable"), ["saga_id", "step"], Some("expires_at"));
        let tables = [("TABLE", entity.name()), ("FENCE_TABLE", fences.name())];
        let tables = tables.map(|(variable, table)| (variable, Value::<String>::from(table)));
        let worker = worker(&mut template, &operators, name, tables);
        template.grant(&worker.role, entity.grant_read_write_data());
        template.grant(&worker.role, fences.grant_read_write_data());
        queues.insert(name, worker.queue);
    }
    let machine = machine(&mut template, definition, &queues, &events, &parked)?;
    for (name, metric) in [
        ("Failed", machine.metric_executions_failed()),
        ("TimedOut", machine.metric_executions_timed_out()),
        ("Aborted", machine.metric_executions_aborted()),
    ] {
        alarm(&mut template, &operators, &format!("Executions{name}Alarm"), &metric);
    }
    let started = [("STATE_MACHINE", Value::<String>::from(machine.arn()))];
    let intake = worker(&mut template, &operators, "OrderIntake", started);
    template.grant(&intake.role, machine.grant_start_execution());
    subscribe(&mut template, "OrderIntake", &orders, &intake.queue);
    let notification = worker(&mut template, &operators, "Notification", []);
    subscribe(&mut template, "Notification", &events, &notification.queue);
    Ok(template.build()?)
}

struct Worker {
    queue: Handle<Queue>,
    role: Handle<Role>,
}

fn worker(
    template: &mut Template,
    operators: &Handle<Topic>,
    name: &str,
    environment: impl IntoIterator<Item = (&'static str, Value<String>)>,
) -> Worker {
    let retention = Duration::from_secs(14 * 24 * 60 * 60);
    let dead =
        template.add(format!("{name}DeadLetterQueue"), Queue::new().message_retention_period(retention));
    let queue = Queue::new()
        .visibility_timeout(Duration::from_secs(180))
        .redrive_policy(RedrivePolicy::new(&dead, 5));
    let queue = template.add(format!("{name}Queue"), queue);
    let log = LogGroup::new().retention_in_days(RetentionInDays::Days30);
    let log = template.add(format!("{name}LogGroup"), log.deletion_policy(Removal::Delete));
    let role = template.add(format!("{name}Role"), Role::for_lambda());
    template.grant(&role, log.grant_write());
    template.grant(&role, queue.grant_consume_messages());
    template.grant(&role, grants::trace());
    let function = Function::new(Code::s3("artifacts", format!("{name}.zip")), &role)
        .runtime(Runtime::ProvidedAl2023)
        .architectures([Architecture::Arm64])
        .handler("bootstrap")
        .memory_size(Bytes::mebibytes(256))
        .timeout(Duration::from_secs(30))
        .tracing_config(Tracing::new(TracingMode::Active))
        .logging_config(Logging::new().log_group(&log));
    let function = environment
        .into_iter()
        .fold(function, |function, (variable, value)| function.environment_variable(variable, value));
    let function = template.add(format!("{name}Function"), function);
    let source = EventSourceMapping::from_queue(&function, &queue)
        .batch_size(10)
        .scaling_config(ScalingConfig::new().maximum_concurrency(10))
        .function_response_types([FunctionResponseType::ReportBatchItemFailures]);
    template.add(format!("{name}EventSource"), source);
    let dead_letters = dead.metric_approximate_number_of_messages_visible();
    alarm(template, operators, &format!("{name}DeadLettersAlarm"), &dead_letters);
    alarm(template, operators, &format!("{name}ErrorsAlarm"), &function.metric_errors());
    Worker { queue, role }
}

fn table<const N: usize>(
    template: &mut Template,
    id: &str,
    keys: [&str; N],
    expires: Option<&str>,
) -> Handle<Table> {
    let schema = keys.iter().enumerate().map(|(place, name)| match place {
        0 => KeySchema::hash(*name),
        _ => KeySchema::range(*name),
    });
    let table = Table::new(schema)
        .attribute_definitions(keys.map(|name| AttributeDefinition::new(name, AttributeType::String)))
        .billing_mode(BillingMode::PayPerRequest)
        .sse(Sse::new(true))
        .point_in_time_recovery(PointInTimeRecovery::new(true))
        .deletion_protection_enabled(true);
    let table = match expires {
        Some(attribute) => table.time_to_live(TimeToLive::on(attribute)),
        None => table,
    };
    template.add(id, table.deletion_policy(Removal::Retain).update_replace_policy(Removal::Retain))
}

fn machine(
    template: &mut Template,
    definition: &str,
    queues: &BTreeMap<&str, Handle<Queue>>,
    events: &Handle<Topic>,
    parked: &Handle<Table>,
) -> Result<Handle<StateMachine>, serde_json::Error> {
    let role = template.add("OrderStateMachineRole", Role::for_states());
    let json: Json = serde_json::from_str(definition)?;
    let mut machine = StateMachine::new(&role)
        .definition(json)
        .tracing_configuration(TracingConfiguration::new(true))
        .substitute("NoticeTopicArn", events.arn())
        .substitute("ParkedTableName", parked.name());
    for (name, queue) in queues {
        machine = machine.substitute(format!("QueueUrl{name}"), queue.url());
        template.grant(&role, queue.grant_send_messages());
    }
    template.grant(&role, events.grant_publish());
    template.grant(&role, parked.grant_write_data());
    Ok(template.add("OrderStateMachine", machine))
}

fn subscribe(template: &mut Template, name: &str, topic: &Handle<Topic>, queue: &Handle<Queue>) {
    let policy = PolicyDocument::new([queue_policy::allow_topic_to_send(queue, topic)]);
    template.add(format!("{name}QueuePolicy"), QueuePolicy::new(policy, [queue]));
    let subscription = Subscription::to_queue(topic, queue).raw_message_delivery(true);
    template.add(format!("{name}Subscription"), subscription);
}

fn alarm(template: &mut Template, operators: &Handle<Topic>, id: &str, metric: &Metric) {
    let alarm = metric.alarm(ComparisonOperator::GreaterThanOrEqualToThreshold, 1.0, 1);
    template.add(id, alarm.treat_missing_data(MissingData::NotBreaching).alarm_actions([operators]));
}
