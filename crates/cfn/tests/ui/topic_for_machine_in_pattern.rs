//! A field of an event that is a state machine is compared with state machines.

use cfn::Template;
use cfn::sns::Topic;
use cfn::stepfunctions::event_patterns::StepFunctionsExecutionStatusChange;

fn main() {
    let mut template = Template::new("Orders");
    let topic = template.add("Topic", Topic::new());
    let _ = StepFunctionsExecutionStatusChange::new().state_machine_arn([topic.arn()]);
}
