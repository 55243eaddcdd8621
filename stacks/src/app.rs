//! The stack `app`: what works. Orders come in by a topic, state machines carry them out, notices go out by another.

use crate::{
    checks::{self, SynthError},
    constructs::{
        consumer::{AT_ONCE, Consumer, consumer_of},
        function::{Program, Variable},
        participant::{participant, queue_policies},
        queue::{self, queue_with_dead_letter},
        scheduled::{self, Schedule},
        senders::only_from,
        state_machine::{Deployed, Surroundings, state_machine},
        topic,
    },
    draft::Draft,
    names::pascal,
    outputs, parameters, record,
    rescue::{RESCUE, rescue},
    stage::Stage,
    synth::{Machine, RefusedQueue, Stack, StackId},
};
use cfn::{
    Arn, Declare, Handle, Param, Removal, Statement, Test, Value,
    dynamodb::Table,
    grants,
    ses::EmailIdentity,
    sns::{Subscription, SubscriptionRedrivePolicy, Topic},
    sqs::{Queue, queue_policy},
};
use saga::{Intake, ParticipantSpec, Startables, budget::Budget, environment, schema::Schemas};
use sagas::{
    environment::{
        CLAIM_TTL_SECONDS, CLAIMS_TABLE, EMAIL_FROM, GATEWAY_URL, MAX_REFUND_PERCENT, MAX_REFUNDS,
        NOTIFICATION, RECONCILIATION_GRACE_SECONDS, RECONCILIATION_WINDOW_SECONDS, REFUSED_ORDERS,
        SAGA_LONGEST_SECONDS,
    },
    intakes::OrderIntake,
};
use std::time::Duration;

/// The participant that calls the payment gateway.
const PAYMENT: &str = "payment";

/// Compares the payment gateway's charges with the payment service's fences.
const RECONCILIATION: &str = "reconciliation";

/// The functions that work off a queue, each named as its crate.
pub(crate) fn consumers(participants: &[ParticipantSpec]) -> Vec<&'static str> {
    let participants = participants.iter().map(|participant| participant.name);
    [OrderIntake::NAME].into_iter().chain(participants).chain([NOTIFICATION, RESCUE]).collect()
}

/// The same where there is nothing but sagas.
pub(crate) fn consumers_of_sagas(participants: &[ParticipantSpec]) -> Vec<&'static str> {
    participants.iter().map(|participant| participant.name).chain([RESCUE]).collect()
}

/// The functions that are called on a schedule, each named as its crate.
pub(crate) fn scheduled() -> Vec<&'static str> {
    vec![RECONCILIATION]
}

/// The queues of what intakes refused.
pub(crate) fn refused() -> Vec<RefusedQueue> {
    vec![RefusedQueue { name: REFUSED_ORDERS, url_output: outputs::REFUSED_ORDERS_QUEUE_URL }]
}

pub(crate) fn stack(
    stage: Stage,
    participants: &[ParticipantSpec],
    machines: &[Machine],
    schemas: &Schemas,
) -> Result<Stack, SynthError> {
    let mut draft = Draft::new(stage, StackId::App, "topics, queues, functions and state machines");
    record::keep(&mut draft, schemas)?;
    let program = Program::new(&mut draft);
    let events = topic::topic(&mut draft, "OrderEventsTopic", "sagas");
    draft.output(
        outputs::ORDER_EVENTS_TOPIC_ARN,
        events.arn(),
        "The ARN of the topic with the outcomes of orders",
    );

    let gateway = draft.template.parameter(parameters::GATEWAY_URL, parameters::gateway_url());
    let extra = |name: &str| (name == PAYMENT).then(|| (GATEWAY_URL.to_owned(), Value::from(&gateway)));
    let deployed = carry_out(&mut draft, &program, participants, machines, &events, extra)?;
    let notifications = notification(&mut draft, &program, &events);
    order_intake(&mut draft, &program, machines, &deployed, &notifications);
    rescue(&mut draft, &program, &deployed.machines);
    reconciliation(&mut draft, &program, &gateway, longest_saga(stage, machines)?);
    draft.build()
}

/// The stack of a deployment that has nothing but sagas.
pub(crate) fn stack_of_sagas(
    stage: Stage,
    participants: &[ParticipantSpec],
    machines: &[Machine],
    schemas: &Schemas,
) -> Result<Stack, SynthError> {
    let mut draft = Draft::new(stage, StackId::App, "a topic, queues, functions and state machines");
    record::keep(&mut draft, schemas)?;
    let program = Program::new(&mut draft);
    let notices = topic::topic(&mut draft, "NoticesTopic", "sagas");
    let about = "The ARN of the topic with the outcomes of sagas";
    draft.output(outputs::NOTICES_TOPIC_ARN, notices.arn(), about);
    let deployed = carry_out(&mut draft, &program, participants, machines, &notices, |_| None)?;
    rescue(&mut draft, &program, &deployed.machines);
    draft.build()
}

/// Who carries sagas out.
struct Carrying {
    participants: Vec<Consumer>,
    machines: Vec<Deployed>,
}

/// Participants, the state machines that ask them, and nobody else who does. `extra`: an environment variable of a
/// participant's own.
fn carry_out(
    draft: &mut Draft,
    program: &Program,
    participants: &[ParticipantSpec],
    machines: &[Machine],
    notices: &Handle<Topic>,
    extra: impl Fn(&str) -> Option<Variable>,
) -> Result<Carrying, SynthError> {
    let mut served = Vec::new();
    for spec in participants {
        let asking = machines.iter().filter(|machine| machine.asks(spec.name)).map(|machine| machine.saga);
        served.push(participant(draft, program, spec, asking, extra(spec.name)));
    }
    let queues = served.iter().map(|participant| (participant.name, participant.queue.clone())).collect();
    let surroundings = Surroundings { queues, notices: notices.clone() };
    let mut deployed = Vec::new();
    for machine in machines {
        deployed.push(state_machine(draft, &surroundings, machine)?);
    }
    confine_senders(draft, &served, machines, &deployed, notices);
    Ok(Carrying { participants: served, machines: deployed })
}

/// Only state machines ask participants, and announce outcomes. An operator's role may send dead letters back.
fn confine_senders(
    draft: &mut Draft,
    participants: &[Consumer],
    machines: &[Machine],
    deployed: &[Deployed],
    events: &Handle<Topic>,
) {
    let operator = draft.template.parameter(parameters::OPERATOR_ROLE_ARN, parameters::operator_role_arn());
    let known = draft.template.condition("OperatorRoleKnown", Test::not(Test::equals(&operator, "")));
    let roles: Vec<(&Machine, Value<String>)> = machines
        .iter()
        .zip(deployed)
        .map(|(machine, deployed)| (machine, deployed.role.arn().into()))
        .collect();
    for participant in participants {
        let asking = roles.iter().filter(|(machine, _)| machine.asks(participant.name));
        let mut senders: Vec<_> = asking.map(|(_, role)| role.clone()).collect();
        senders.push(Value::when(&known, &operator, Value::<String>::no_value()));
        queue_policies(draft, participant, &senders);
    }
    let publishers = roles.into_iter().map(|(_, role)| role);
    topic::policy(draft, events, [], [only_from("sns:Publish", events, publishers)]);
}

/// Customers publish on a topic; its messages become executions.
fn order_intake(
    draft: &mut Draft,
    program: &Program,
    machines: &[Machine],
    deployed: &Carrying,
    notifications: &Handle<Queue>,
) {
    // Whether they are all there is checked before.
    let is_own = |saga: &str| <OrderIntake as Intake>::Sagas::NAMES.contains(&saga);
    let own: Vec<_> = deployed.machines.iter().filter(|deployed| is_own(deployed.saga)).collect();
    let sagas: Vec<_> = machines.iter().filter(|machine| is_own(machine.saga)).collect();
    let asked = |consumer: &&Consumer| sagas.iter().any(|machine| machine.asks(consumer.name));
    let participants: Vec<_> = deployed.participants.iter().filter(asked).collect();
    let orders = topic::topic(draft, "OrderTopic", OrderIntake::NAME);
    topic::policy(draft, &orders, [], []);
    draft.output(
        outputs::ORDER_TOPIC_ARN,
        orders.arn(),
        "The ARN of the topic that customers publish orders on",
    );

    let refused = queue::kept_queue(draft, "RefusedOrdersQueue", OrderIntake::NAME);
    draft.output(
        outputs::REFUSED_ORDERS_QUEUE_URL,
        refused.url(),
        "The URL of the queue that keeps refused orders",
    );

    let mut variables: Vec<Variable> = vec![
        (environment::queue(REFUSED_ORDERS), refused.url().into()),
        (environment::queue(NOTIFICATION), notifications.url().into()),
    ];
    let starts = own
        .iter()
        .map(|Deployed { saga, machine, .. }| (environment::state_machine(saga), machine.arn().into()));
    variables.extend(starts);
    let steps = sagas.iter().flat_map(|machine| machine.definition.steps());
    let max_backlog = parameters::max_backlog(draft.timing().max_backlog(steps));
    let max_backlog = draft.template.parameter(parameters::MAX_BACKLOG, max_backlog);
    variables.push((environment::MAX_BACKLOG.to_owned(), Value::from(&max_backlog)));
    let queues = participants.iter();
    variables.extend(queues.map(|consumer| (environment::queue(consumer.name), consumer.queue.url().into())));
    let line = queue_with_dead_letter(draft, OrderIntake::NAME, AT_ONCE.delay);
    variables.push((environment::queue(OrderIntake::NAME), line.queue.url().into()));
    let description = "Starts a saga for each order that is valid";
    let intake = consumer_of(draft, program, OrderIntake::NAME, description, variables, line, &AT_ONCE);
    subscribe(draft, &orders, &intake);

    // It counts what participants have to do, and puts back what would be too much.
    for participant in participants {
        draft.template.grant(&intake.role, participant.queue.grant_get_attributes());
    }
    draft.template.grant(&intake.role, intake.queue.grant_send_messages());

    draft.template.grant(&intake.role, refused.grant_send_messages());
    // Who is refused because another has the id is told.
    draft.template.grant(&intake.role, notifications.grant_send_messages());
    for Deployed { machine, .. } in own {
        draft.template.grant(&intake.role, machine.grant_start_execution());
        // It looks at the execution that has an id already; and a cancel waits for its order to begin.
        draft.template.grant(&intake.role, machine.executions().grant_describe());
    }
}

/// Charges that no order wants are found and refunded.
fn reconciliation(draft: &mut Draft, program: &Program, gateway: &Param, longest: Duration) {
    let timing = draft.timing();
    let fences = draft.handed(StackId::Data, outputs::fence_table_name(PAYMENT));
    let seconds = |name: &str, duration: Duration| (name.to_owned(), duration.as_secs().to_string().into());
    let max_refunds = draft.template.parameter(parameters::MAX_REFUNDS, parameters::max_refunds());
    let max_percent =
        draft.template.parameter(parameters::MAX_REFUND_PERCENT, parameters::max_refund_percent());
    let mut variables: Vec<Variable> = vec![
        (GATEWAY_URL.to_owned(), Value::from(gateway)),
        (MAX_REFUNDS.to_owned(), Value::from(&max_refunds)),
        (MAX_REFUND_PERCENT.to_owned(), Value::from(&max_percent)),
        (environment::FENCE_TABLE.to_owned(), fences),
        seconds(environment::FENCE_TTL_SECONDS, timing.fence_ttl()),
        seconds(RECONCILIATION_GRACE_SECONDS, timing.reconciliation_grace()),
        seconds(RECONCILIATION_WINDOW_SECONDS, timing.reconciliation_window()),
        seconds(SAGA_LONGEST_SECONDS, longest),
    ];
    variables.extend(draft.deployment_variables());
    let schedule =
        Schedule { interval: timing.reconciliation_interval(), timeout: timing.reconciliation_timeout() };
    let description = "Refunds charges of the payment gateway that no order wants";
    let role = scheduled::scheduled(draft, program, RECONCILIATION, description, &schedule, variables);
    let fences: Value<Arn<Table>> = draft.handed(StackId::Data, outputs::fence_table_arn(PAYMENT));
    // It looks at fences, and writes none.
    draft.template.grant(&role, fences.grant_get_items());
}

/// The longest that a saga with a charge can take.
fn longest_saga(stage: Stage, machines: &[Machine]) -> Result<Duration, SynthError> {
    let mut longest = Duration::ZERO;
    for Machine { saga, definition, .. } in machines.iter().filter(|machine| machine.asks(PAYMENT)) {
        let budget = Budget::of(definition, stage.timing())
            .map_err(|source| SynthError::Compile { saga, source: source.into() })?;
        longest = longest.max(budget.total());
    }
    checks::reconciliation(stage.timing(), longest)?;
    Ok(longest)
}

/// Outcomes become e-mails and text messages. Gives the queue of the function that sends them.
///
/// Every notice comes to it, and it knows which it handles. A filter on its subscription would know too, but for up to 15
/// minutes after it was changed, and a notice that a release adds would be lost for so long.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>
fn notification(draft: &mut Draft, program: &Program, events: &Handle<Topic>) -> Handle<Queue> {
    let sender = draft.template.parameter(parameters::EMAIL_FROM, parameters::email_from());
    let timing = draft.timing();
    // As long as a notice can come back: from its queue, from the dead letters, and from its queue again.
    let claimed = timing.queue_retention() + timing.dead_letter_retention() + timing.queue_retention();
    let line = queue_with_dead_letter(draft, NOTIFICATION, AT_ONCE.delay);
    let variables: [Variable; 4] = [
        (EMAIL_FROM.to_owned(), Value::from(&sender)),
        (CLAIMS_TABLE.to_owned(), draft.handed(StackId::Data, outputs::CLAIMS_TABLE_NAME)),
        (CLAIM_TTL_SECONDS.to_owned(), claimed.as_secs().to_string().into()),
        (environment::queue(NOTIFICATION), line.queue.url().into()),
    ];
    let description = "Tells customers by e-mail or text message how their order ended";
    let notification = consumer_of(draft, program, NOTIFICATION, description, variables, line, &AT_ONCE);
    subscribe(draft, events, &notification);
    // It puts notices back whose letters were refused.
    draft.template.grant(&notification.role, notification.queue.grant_send_messages());
    let claims: Value<Arn<Table>> = draft.handed(StackId::Data, outputs::CLAIMS_TABLE_ARN);
    draft.template.grant(&notification.role, claims.grant_update_items());
    draft.template.grant(&notification.role, grants::send_text_messages());
    let mails = send_mails(draft, &sender);
    draft.template.grant(&notification.role, mails);
    sender_identity(draft, &sender);
    notification.queue
}

/// Has a topic deliver to the queue of a function, and to its dead-letter queue what the queue does not take.
fn subscribe(draft: &mut Draft, topic: &Handle<Topic>, consumer: &Consumer) {
    for queue in [&consumer.queue, &consumer.dead_letters] {
        queue::policy(draft, queue, [queue_policy::allow_topic_to_send(queue, topic)], []);
    }
    let subscription = Subscription::to_queue(topic, &consumer.queue)
        .raw_message_delivery(true)
        .redrive_policy(SubscriptionRedrivePolicy::new(&consumer.dead_letters));
    draft.template.add(format!("{}Subscription", pascal(consumer.name)), subscription);
}

/// Send mails from the sender's address only.
///
/// On any identity of the account, because SES looks for the address or for its domain, whichever is verified; in its
/// sandbox, for the receiver's too. An emulator names no identity.
/// <https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html>
fn send_mails(draft: &mut Draft, sender: &Param) -> Vec<Statement> {
    let (on_aws, on_emulator) = (draft.on_aws(), draft.on_emulator());
    let from = |operator, mails: Vec<Statement>, condition| {
        mails.into_iter().map(move |mail| mail.when(operator, "ses:FromAddress", sender).only_if(condition))
    };
    let identities = EmailIdentity::arn_of_name("*").grant_send_email();
    let anything = Value::<Arn<EmailIdentity>>::from("*").grant_send_email();
    from("StringEquals", identities, &on_aws)
        .chain(from("StringEqualsIfExists", anything, &on_emulator))
        .collect()
}

/// The sender's address as an identity, unless it is one already. It stays: stages and deployments of the account can have
/// one sender, and whoever goes must not take it away from the others.
fn sender_identity(draft: &mut Draft, sender: &Param) {
    let choice = draft.template.parameter(parameters::SENDER_IDENTITY, parameters::sender_identity());
    let create = draft.template.condition("CreateSenderIdentity", Test::equals(&choice, "create"));
    let identity = EmailIdentity::new(sender).tags(draft.tags(NOTIFICATION)).condition(&create);
    let identity =
        identity.deletion_policy(Removal::RetainExceptOnCreate).update_replace_policy(Removal::Retain);
    draft.template.add("SenderEmailIdentity", identity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{Definition, asl};
    use serde_json::{Value as Json, json};

    const STAGE: Stage = Stage::Prod;

    fn synthesised(sagas: &[Definition]) -> Result<Json, SynthError> {
        let machine = |definition: &Definition| Machine {
            saga: definition.name,
            definition: definition.clone(),
            machine: asl::compile(definition, STAGE.timing()).unwrap(),
        };
        let machines: Vec<_> = sagas.iter().map(machine).collect();
        let stack = stack(STAGE, &sagas::participants(), &machines, &Schemas::of(sagas))?;
        Ok(serde_json::from_str(stack.template.to_json()).unwrap())
    }

    /// What it may do to executions, and on what.
    fn on_executions(template: &Json, role: &str) -> Vec<(String, String)> {
        let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap();
        let statements =
            policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let of_states = statements.filter(|statement| statement["Action"].to_string().contains("states:"));
        of_states
            .map(|statement| (statement["Action"].to_string(), statement["Resource"].to_string()))
            .collect()
    }

    #[test]
    fn an_intake_starts_its_own_sagas_and_knows_of_no_other() {
        let mut sagas = sagas::all();
        let own = synthesised(&sagas).unwrap();
        sagas.push(Definition { name: "refund", ..sagas[1].clone() });
        let with_another = synthesised(&sagas).unwrap();
        let role = "OrderIntakeRole";
        assert_eq!(on_executions(&with_another, role), on_executions(&own, role));
        let function = |template: &Json| template["Resources"]["OrderIntakeFunction"].clone();
        assert_eq!(function(&with_another), function(&own));
        let variables = &function(&own)["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["FLYOVER_SAGA_ORDER"], json!({ "Fn::GetAtt": ["OrderStateMachine", "Arn"] }));
        // It settles every saga there is.
        assert!(format!("{:?}", on_executions(&with_another, "RescueRole")).contains("RefundStateMachine"));
    }
}
