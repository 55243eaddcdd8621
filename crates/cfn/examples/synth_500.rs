//! Writes a template of 500 resources and says how long it took, from the first `Template::new` to the text.
//!
//! `cargo run --release -p cfn --example synth_500 [REPETITIONS]`; with `text` as the argument it prints the template.

use std::io::Write as _;
use std::time::{Duration, Instant};

use cfn::cloudwatch::{ComparisonOperator, MissingData};
use cfn::iam::Role;
use cfn::lambda::{Code, EventSourceMapping, Function, Runtime};
use cfn::logs::{LogGroup, RetentionInDays};
use cfn::policy::PolicyDocument;
use cfn::sqs::{Queue, QueuePolicy, RedrivePolicy, queue_policy};
use cfn::{BuiltTemplate, Parameter, Template, TemplateError};

/// Each worker is ten resources.
const WORKERS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1);
    let mut out = std::io::stdout().lock();
    if argument.as_deref() == Some("text") {
        out.write_all(synth()?.to_yaml().as_bytes())?;
        return Ok(());
    }
    let repetitions: u32 = argument.map_or(Ok(20), |text| text.parse())?;
    let mut best = Duration::MAX;
    let mut total = Duration::ZERO;
    let mut bytes = 0;
    for _ in 0..repetitions {
        let start = Instant::now();
        bytes = synth()?.to_yaml().len();
        let taken = start.elapsed();
        best = best.min(taken);
        total += taken;
    }
    let mean = total / repetitions.max(1);
    writeln!(
        out,
        "{} resources, {bytes} bytes of YAML and as JSON: best {best:?}, mean {mean:?}",
        WORKERS * 10
    )?;
    Ok(())
}

fn synth() -> Result<BuiltTemplate, TemplateError> {
    let mut template = Template::new("Fifty workers, each with what it needs");
    let bucket = template.parameter("CodeBucket", Parameter::string());
    for number in 0..WORKERS {
        let id = |name: &str| format!("Worker{number}{name}");
        let dead =
            template.add(id("Dead"), Queue::new().message_retention_period(Duration::from_secs(1_209_600)));
        let queue = Queue::new()
            .visibility_timeout(Duration::from_secs(180))
            .redrive_policy(RedrivePolicy::new(&dead, 5))
            .tags([("service", "worker")]);
        let queue = template.add(id("Queue"), queue);
        for (name, of) in [("Policy", &queue), ("DeadPolicy", &dead)] {
            let policy = PolicyDocument::new([queue_policy::deny_insecure_transport(of)]);
            template.add(id(name), QueuePolicy::new(policy, [of]));
        }
        let role = template.add(id("Role"), Role::for_lambda());
        let log = template.add(id("Log"), LogGroup::new().retention_in_days(RetentionInDays::Days30));
        template.grant(&role, queue.grant_consume_messages());
        template.grant(&role, log.grant_write());
        let code = Code::s3(&bucket, "worker.zip");
        let function = Function::new(code, &role).runtime(Runtime::ProvidedAl2023).handler("bootstrap");
        let function = function.environment_variable("QUEUE", queue.url()).timeout(Duration::from_secs(30));
        let function = template.add(id("Function"), function);
        template.add(id("Source"), EventSourceMapping::from_queue(&function, &queue).batch_size(10));
        for (name, metric) in [
            ("Errors", function.metric_errors()),
            ("DeadAlarm", dead.metric_approximate_number_of_messages_visible()),
        ] {
            let alarm = metric.alarm(ComparisonOperator::GreaterThanOrEqualToThreshold, 1.0, 1);
            template.add(id(name), alarm.treat_missing_data(MissingData::NotBreaching));
        }
    }
    template.build()
}
