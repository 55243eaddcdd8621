//! The stack `watch`: what tells people. Alarms go off on one topic; a dashboard shows how the sagas fare.

mod alarms;
mod dashboard;
mod metrics;

use crate::{
    checks::SynthError,
    constructs::topic,
    draft::Draft,
    outputs, parameters,
    stage::Stage,
    synth::{Machine, Stack, StackId},
};
use cfn::{
    Declare, Handle, Test,
    sns::{Subscription, Topic, topic_policy},
};

/// The tag of what belongs to nobody but the operators.
const SERVICE: &str = "watch";

pub(crate) fn stack(
    stage: Stage,
    consumers: &[&'static str],
    scheduled: &[&'static str],
    machines: &[Machine],
) -> Result<Stack, SynthError> {
    let mut draft = Draft::new(stage, StackId::Watch, "alarms and a dashboard");
    let operators = operators(&mut draft);
    metrics::count_log_lines(&mut draft);
    let alarms = alarms::all(&mut draft, &operators, consumers, scheduled, machines);
    dashboard::dashboard(&mut draft, consumers, scheduled, machines, &alarms);
    draft.build()
}

/// The topic on which alarms go off, and who hears them.
fn operators(draft: &mut Draft) -> Handle<Topic> {
    // Not encrypted with a key: the account's key of SNS does not admit CloudWatch, so no alarm would arrive, and what
    // alarms say, the names of queues and functions, is nobody's data.
    // <https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns>
    let operators = Topic::new().tags(draft.tags(SERVICE)).suppress_check(
        "CKV_AWS_26",
        "The account's key of SNS does not admit CloudWatch, so no alarm would arrive; alarms say the names of queues \
         and functions, which is nobody's data",
    );
    let operators = draft.template.add("OperatorsTopic", operators);
    topic::policy(draft, &operators, [topic_policy::allow_alarms_to_publish(&operators)], []);
    draft.output(
        outputs::OPERATORS_TOPIC_ARN,
        operators.arn(),
        "The ARN of the topic on which alarms go off",
    );

    let email = draft.template.parameter(parameters::OPERATOR_EMAIL, parameters::operator_email());
    let known = draft.template.condition("OperatorEmailKnown", Test::not(Test::equals(&email, "")));
    draft.template.add("OperatorsSubscription", Subscription::to_email(&operators, &email).condition(&known));
    operators
}
