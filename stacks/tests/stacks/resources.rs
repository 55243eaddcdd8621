//! What every resource of a type must have.

use crate::templates::{app, list, of_type, queue_id, referred, resources, template};
use saga::fence_table;
use sagas::claims_table;
use serde_json::{Value as Json, json};
use stacks::{Stage, Trigger, outputs};
use std::collections::BTreeSet;

#[test]
fn each_table_can_be_restored_and_is_encrypted() {
    for stage in Stage::ALL {
        let app = app(stage);
        let tables = of_type(&app, "AWS::DynamoDB::Table");
        let of_participants = app.participants.iter().map(|participant| participant.entities.len() + 1);
        let expected = of_participants.sum::<usize>() + 2;
        assert_eq!(tables.len(), expected, "entities and fences, the parked sagas, the claims");
        for (id, table) in tables {
            let properties = &table["Properties"];
            assert_eq!(
                properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true,
                "{id}"
            );
            assert_eq!(properties["SSESpecification"]["SSEEnabled"], true, "{id}");
            assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST", "{id}");
            assert_eq!(
                properties["TableName"],
                Json::Null,
                "{id}: a name of its own would hinder a replacement"
            );
        }
    }
}

#[test]
fn what_customers_entrusted_stays_in_production_and_goes_in_development() {
    for (stage, policy, protected) in [(Stage::Prod, "Retain", true), (Stage::Dev, "Delete", false)] {
        let app = app(stage);
        let refused: Vec<_> = app.refused.iter().map(|queue| queue_id(queue.url_output)).collect();
        let kept = |id: &String, kind: &Json| {
            kind == "AWS::DynamoDB::Table" || id.ends_with("DeadLetterQueue") || refused.contains(id)
        };
        for (id, entry) in resources(&app).into_iter().filter(|(id, entry)| kept(id, &entry["Type"])) {
            let is_table = entry["Type"] == "AWS::DynamoDB::Table";
            // A creation that is rolled back could not delete a table that is protected.
            let deletion = if protected && !is_table { "RetainExceptOnCreate" } else { policy };
            assert_eq!(
                (&entry["DeletionPolicy"], &entry["UpdateReplacePolicy"]),
                (&json!(deletion), &json!(policy)),
                "{id}"
            );
            if is_table {
                assert_eq!(entry["Properties"]["DeletionProtectionEnabled"], protected, "{id}");
            }
        }
    }
}

/// Two stages can send from one address.
#[test]
fn the_senders_identity_outlives_whoever_created_it() {
    for stage in Stage::ALL {
        let identity = template(&app(stage), "app")["Resources"]["SenderEmailIdentity"].clone();
        let policies = [&identity["DeletionPolicy"], &identity["UpdateReplacePolicy"]];
        assert_eq!(policies, ["RetainExceptOnCreate", "Retain"], "{stage}");
        assert_eq!(identity["Condition"], "CreateSenderIdentity", "{stage}");
    }
}

#[test]
fn fences_have_the_key_and_the_expiry_that_functions_write() {
    let app = app(Stage::Prod);
    let data = template(&app, "data");
    for participant in &app.participants {
        let id = outputs::fence_table_name(participant.name).trim_end_matches("Name").to_owned();
        let fences = &data["Resources"][&id]["Properties"];
        assert_eq!(
            fences["KeySchema"],
            json!([
                { "AttributeName": fence_table::SAGA_ID, "KeyType": "HASH" },
                { "AttributeName": fence_table::STEP, "KeyType": "RANGE" },
            ])
        );
        assert_eq!(
            fences["TimeToLiveSpecification"],
            json!({ "AttributeName": fence_table::EXPIRES_AT, "Enabled": true })
        );
    }
}

#[test]
fn claims_have_the_key_and_the_expiry_that_the_function_writes() {
    let app = app(Stage::Prod);
    let claims = &template(&app, "data")["Resources"]["ClaimsTable"]["Properties"];
    assert_eq!(claims["KeySchema"], json!([{ "AttributeName": claims_table::LETTER, "KeyType": "HASH" }]));
    assert_eq!(
        claims["TimeToLiveSpecification"],
        json!({ "AttributeName": claims_table::EXPIRES_AT, "Enabled": true })
    );
}

#[test]
fn the_parked_table_has_the_key_that_state_machines_write() {
    let app = app(Stage::Prod);
    let schema = &template(&app, "data")["Resources"]["ParkedTable"]["Properties"]["KeySchema"];
    let keys: Vec<_> = list(schema).into_iter().filter_map(|key| key["AttributeName"].as_str()).collect();
    for machine in &app.machines {
        let states = serde_json::to_value(&machine.machine).expect("JSON")["States"].take();
        let unparks = states.as_object().expect("states").values().filter(|state| {
            state["Resource"].as_str().is_some_and(|resource| resource.ends_with("dynamodb:deleteItem"))
        });
        for state in unparks {
            let mut written: Vec<_> = state["Arguments"]["Key"].as_object().expect("a key").keys().collect();
            written.sort_unstable();
            assert_eq!(written, keys);
        }
    }
}

#[test]
fn each_queue_has_a_dead_letter_queue_or_is_one() {
    let app = app(Stage::Prod);
    let queues = of_type(&app, "AWS::SQS::Queue");
    let calls = app.functions.iter().filter(|function| function.trigger == Trigger::Schedule);
    let calls = calls.map(|function| queue_id(&outputs::dead_letter_queue_url(function.name)));
    let refused = app.refused.iter().map(|queue| queue_id(queue.url_output));
    let for_people: BTreeSet<_> = refused.chain(calls).collect();
    let mut dead: Vec<_> = Vec::new();
    for (_, queue) in &queues {
        referred(&queue["Properties"]["RedrivePolicy"], &mut dead);
    }
    for (id, queue) in &queues {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
        let redrives = queue["Properties"].get("RedrivePolicy").is_some();
        assert!(redrives || dead.contains(id) || for_people.contains(id), "{id} has no dead-letter queue");
        if dead.contains(id) {
            assert_eq!(queue["Properties"]["RedriveAllowPolicy"]["redrivePermission"], "byQueue", "{id}");
            assert_eq!(queue["Properties"]["MessageRetentionPeriod"], 1_209_600, "{id}");
        }
    }
}

#[test]
fn queues_hide_a_message_six_times_as_long_as_its_function_runs() {
    for stage in Stage::ALL {
        let app = app(stage);
        let resources = &template(&app, "app")["Resources"];
        for (id, source) in of_type(&app, "AWS::Lambda::EventSourceMapping") {
            let properties = &source["Properties"];
            let of = |reference: &Json| {
                let mut ids = Vec::new();
                referred(reference, &mut ids);
                resources[&ids[0]]["Properties"].clone()
            };
            let (function, queue) = (of(&properties["FunctionName"]), of(&properties["EventSourceArn"]));
            let seconds = |value: &Json| value.as_u64().expect("seconds");
            assert!(seconds(&queue["VisibilityTimeout"]) >= 6 * seconds(&function["Timeout"]), "{id}");
            assert_eq!(properties["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
            assert!(seconds(&properties["ScalingConfig"]["MaximumConcurrency"]) >= 2, "{id}");
            assert_eq!(
                properties.get("MaximumBatchingWindowInSeconds"),
                None,
                "{id}: waiting is not for free here"
            );
        }
    }
}

#[test]
fn each_function_has_its_own_role_and_its_own_log_that_ends() {
    for (stage, days) in [(Stage::Dev, 3), (Stage::Prod, 30)] {
        let app = app(stage);
        let functions = of_type(&app, "AWS::Lambda::Function");
        assert_eq!(functions.len(), app.functions.len());
        let mut own = Vec::new();
        for (id, function) in &functions {
            let properties = &function["Properties"];
            referred(&properties["Role"], &mut own);
            referred(&properties["LoggingConfig"]["LogGroup"], &mut own);
            assert_eq!(properties["Runtime"], "provided.al2023", "{id}");
            assert_eq!(properties["Architectures"], json!([{ "Ref": "Architecture" }]), "{id}");
        }
        let count = own.len();
        own.sort_unstable();
        own.dedup();
        assert_eq!((own.len(), count), (2 * functions.len(), 2 * functions.len()));
        for (id, group) in of_type(&app, "AWS::Logs::LogGroup") {
            assert_eq!(group["Properties"]["RetentionInDays"], days, "{id}");
        }
    }
}

#[test]
fn a_failed_call_of_a_schedule_is_kept_whoever_fails() {
    for (stage, rate, timeout) in [(Stage::Dev, "rate(1 minute)", 60), (Stage::Prod, "rate(5 minutes)", 300)]
    {
        let app = app(stage);
        let resources = &template(&app, "app")["Resources"];
        let rule = &resources["ReconciliationSchedule"]["Properties"];
        assert_eq!(rule["ScheduleExpression"], rate);
        assert_eq!(resources["ReconciliationFunction"]["Properties"]["Timeout"], timeout);
        let queue = json!({ "Fn::GetAtt": ["ReconciliationDeadLetterQueue", "Arn"] });
        // EventBridge, when it cannot hand the call to Lambda; Lambda, when the function fails each time.
        assert_eq!(rule["Targets"][0]["DeadLetterConfig"]["Arn"], queue);
        assert_eq!(rule["Targets"][0]["Arn"], json!({ "Fn::GetAtt": ["ReconciliationFunction", "Arn"] }));
        let invoked = &resources["ReconciliationInvocations"]["Properties"];
        assert_eq!(invoked["DestinationConfig"], json!({ "OnFailure": { "Destination": queue } }));
        assert_eq!(invoked["FunctionName"], json!({ "Ref": "ReconciliationFunction" }));
        let alarm = &template(&app, "watch")["Resources"]["ReconciliationDeadLettersAlarm"]["Properties"];
        assert_eq!(alarm["MetricName"], "ApproximateNumberOfMessagesVisible");
    }
}

#[test]
fn log_lines_that_people_must_hear_of_are_counted_and_alarm() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "watch")["Resources"];
    for (metric, alarm, event, function) in [
        ("OrphanedChargesRefunded", "OrphanedChargesAlarm", "orphaned_charge_refunded", "Reconciliation"),
        ("UnsettledCharges", "UnsettledChargesAlarm", "unsettled_charge", "Reconciliation"),
        ("UnsettledExecutions", "UnsettledExecutionsAlarm", "unsettled_execution", "Rescue"),
        ("RefundBrakes", "RefundBrakeAlarm", "refund_brake", "Reconciliation"),
    ] {
        let filter = &resources[format!("{metric}MetricFilter")]["Properties"];
        assert_eq!(filter["FilterPattern"], format!("{{ $.event = \"{event}\" }}"));
        assert_eq!(filter["LogGroupName"], json!({ "Ref": format!("{function}LogGroupName") }));
        let counted = &filter["MetricTransformations"][0];
        let alarm = &resources[alarm]["Properties"];
        assert_eq!(
            (&counted["MetricName"], &counted["MetricNamespace"]),
            (&alarm["MetricName"], &alarm["Namespace"])
        );
        assert_eq!((&alarm["MetricName"], &alarm["Threshold"]), (&json!(metric), &json!(1)));
    }
}

/// What an operator skipped is told in each sweep: an alarm on it would go off for a day.
#[test]
fn an_abandoned_charge_alarms_nobody() {
    let watch = template(&app(Stage::Prod), "watch").to_string();
    assert!(watch.contains("unsettled_charge") && !watch.contains("abandoned_charge"));
}

#[test]
fn how_much_a_sweep_refunds_is_a_parameter_with_bounds() {
    for stage in Stage::ALL {
        let app = template(&app(stage), "app");
        let variables = &app["Resources"]["ReconciliationFunction"]["Properties"]["Environment"]["Variables"];
        for (parameter, variable, default, most) in [
            ("MaxRefunds", "FLYOVER_MAX_REFUNDS", "50", 100_000),
            ("MaxRefundPercent", "FLYOVER_MAX_REFUND_PERCENT", "10", 100),
        ] {
            assert_eq!(variables[variable], json!({ "Ref": parameter }));
            let declared = &app["Parameters"][parameter];
            let bounds =
                [&declared["Type"], &declared["Default"], &declared["MinValue"], &declared["MaxValue"]];
            assert_eq!(bounds, [&json!("Number"), &json!(default), &json!(0), &json!(most)], "{parameter}");
        }
    }
}

#[test]
fn a_state_machine_has_the_name_by_which_it_is_looked_for() {
    let app = app(Stage::Prod);
    let named: Vec<_> = of_type(&app, "AWS::StepFunctions::StateMachine")
        .into_iter()
        .map(|(_, machine)| machine["Properties"]["StateMachineName"].clone())
        .collect();
    for machine in &app.machines {
        let name = json!({ "Fn::Sub": machine.name("${Deployment}", Stage::Prod) });
        assert!(named.contains(&name), "{name} is not in {named:?}");
    }
}

#[test]
fn state_machines_log_errors_and_never_what_they_are_given() {
    for (id, machine) in of_type(&app(Stage::Prod), "AWS::StepFunctions::StateMachine") {
        let properties = &machine["Properties"];
        assert_eq!(properties["LoggingConfiguration"]["Level"], "ERROR", "{id}");
        assert_eq!(properties["LoggingConfiguration"]["IncludeExecutionData"], false, "{id}");
        assert_eq!(properties["TracingConfiguration"]["Enabled"], true, "{id}");
        let definition = properties["Definition"].to_string();
        let substitutions = properties["DefinitionSubstitutions"].as_object().expect("substitutions");
        assert!(substitutions.keys().all(|key| definition.contains(&format!("${{{key}}}"))), "{id}");
        // A placeholder is the whole text, but for the partition.
        let whole = definition.matches("\"${").count() + definition.matches("\"arn:${Partition}:").count();
        assert_eq!(whole, definition.matches("${").count(), "{id}");
    }
}

#[test]
fn nothing_names_a_partition_of_aws() {
    for stage in Stage::ALL {
        let app = app(stage);
        for stack in &app.stacks {
            assert!(!stack.template.to_json().contains("arn:aws"), "{} of {stage}", stack.id);
        }
        for (id, machine) in of_type(&app, "AWS::StepFunctions::StateMachine") {
            let properties = &machine["Properties"];
            assert_eq!(
                properties["DefinitionSubstitutions"]["Partition"],
                json!({ "Ref": "AWS::Partition" }),
                "{id}"
            );
            let mut resources = Vec::new();
            integrations(&properties["Definition"], &mut resources);
            assert!(resources.len() > 5, "{id}: {resources:?}");
            for resource in resources {
                assert!(resource.starts_with("arn:${Partition}:states:::"), "{id}: {resource}");
            }
        }
    }
}

/// The resources of all tasks, those of branches too.
fn integrations<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
    match json {
        Json::Object(fields) => {
            found.extend(fields.get("Resource").and_then(Json::as_str));
            fields.values().for_each(|value| integrations(value, found));
        }
        Json::Array(items) => items.iter().for_each(|item| integrations(item, found)),
        _ => {}
    }
}

#[test]
fn each_dead_letter_queue_function_and_saga_alarms() {
    let app = app(Stage::Prod);
    let alarms = of_type(&app, "AWS::CloudWatch::Alarm");
    let of_functions = app.functions.iter().map(|function| match function.trigger {
        Trigger::Queue => 4,
        Trigger::Schedule => 3,
    });
    assert_eq!(alarms.len(), of_functions.sum::<usize>() + 3 * app.machines.len() + 6);
    for (id, alarm) in &alarms {
        let properties = &alarm["Properties"];
        assert_eq!(
            properties["AlarmActions"],
            json!([{ "Fn::GetAtt": ["OperatorsTopic", "TopicArn"] }]),
            "{id}"
        );
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{id}");
        assert!(properties.get("Metrics").is_none(), "{id}: one metric, so that the alarm says which");
        assert!(properties["AlarmDescription"].as_str().is_some_and(|text| text.len() < 1_024), "{id}");
    }
}

#[test]
fn an_execution_that_ends_without_an_outcome_is_settled_a_few_at_a_time() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    let rule = &resources["RescueRule"]["Properties"];
    let detail = &rule["EventPattern"]["detail"];
    assert_eq!(detail["status"], json!(["FAILED", "TIMED_OUT", "ABORTED"]));
    let mut machines = Vec::new();
    referred(&detail["stateMachineArn"], &mut machines);
    assert_eq!(machines.len(), app.machines.len(), "each saga is rescued: {machines:?}");
    let target = &rule["Targets"][0];
    let (mut to, mut otherwise) = (Vec::new(), Vec::new());
    referred(&target["Arn"], &mut to);
    referred(&target["DeadLetterConfig"], &mut otherwise);
    assert_eq!((to, otherwise), (vec!["RescueQueue".to_owned()], vec!["RescueDeadLetterQueue".to_owned()]));
    let source = &resources["RescueEventSource"]["Properties"];
    assert_eq!(
        (&source["BatchSize"], &source["ScalingConfig"]["MaximumConcurrency"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(resources["RescueQueue"]["Properties"]["DelaySeconds"], 30);
}

#[test]
fn executions_that_died_without_an_event_are_looked_for_on_a_schedule() {
    for (stage, rate, overdue) in
        [(Stage::Dev, "rate(1 minute)", "180"), (Stage::Prod, "rate(5 minutes)", "900")]
    {
        let app = app(stage);
        let resources = &template(&app, "app")["Resources"];
        let rule = &resources["RescueSchedule"]["Properties"];
        assert_eq!(rule["ScheduleExpression"], rate);
        let target = &rule["Targets"][0];
        assert_eq!(target["Input"], saga::rescue::SWEEP);
        assert_eq!(target["Arn"], json!({ "Fn::GetAtt": ["RescueQueue", "Arn"] }));
        assert_eq!(
            target["DeadLetterConfig"]["Arn"],
            json!({ "Fn::GetAtt": ["RescueDeadLetterQueue", "Arn"] })
        );
        let variables = &resources["RescueFunction"]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["FLYOVER_UNSETTLED_AFTER_SECONDS"], overdue);
        assert_eq!(variables["FLYOVER_SWEEP_WINDOW_SECONDS"], "1209600");
        let delay = resources["RescueQueue"]["Properties"]["DelaySeconds"].to_string();
        assert_eq!(variables["FLYOVER_RESCUE_DELAY_SECONDS"], delay);
        for machine in &app.machines {
            let arn = &variables[saga::environment::state_machine(machine.saga)];
            let mut named = Vec::new();
            referred(arn, &mut named);
            assert_eq!(named.len(), 1, "{} is swept: {arn}", machine.saga);
        }
    }
}

#[test]
fn what_can_have_tags_says_to_whom_it_belongs() {
    const WITHOUT: [&str; 7] = [
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::SQS::QueuePolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SNS::Subscription",
        "AWS::Logs::MetricFilter",
        "AWS::CloudWatch::Dashboard",
    ];
    for (id, entry) in resources(&app(Stage::Dev)) {
        if WITHOUT.iter().any(|kind| entry["Type"] == **kind) {
            continue;
        }
        let tags: Vec<_> =
            list(&entry["Properties"]["Tags"]).into_iter().filter_map(|tag| tag["Key"].as_str()).collect();
        assert_eq!(tags, ["project", "stage", "service"], "{id}");
    }
}

#[test]
fn only_these_checks_of_linters_are_suppressed() {
    let mut suppressed = BTreeSet::new();
    for (_, entry) in resources(&app(Stage::Prod)) {
        for skip in list(&entry["Metadata"]["checkov"]["skip"]) {
            let texts = [&entry["Type"], &skip["id"]].map(|text| text.as_str().expect("text").to_owned());
            suppressed.insert(texts.join(" "));
        }
    }
    assert_eq!(
        suppressed.into_iter().collect::<Vec<_>>(),
        [
            "AWS::DynamoDB::Table CKV_AWS_119",
            "AWS::Lambda::Function CKV_AWS_115",
            "AWS::Lambda::Function CKV_AWS_116",
            "AWS::Lambda::Function CKV_AWS_117",
            "AWS::Lambda::Function CKV_AWS_173",
            "AWS::Logs::LogGroup CKV_AWS_158",
            "AWS::SNS::Topic CKV_AWS_26",
            "AWS::SQS::Queue CKV_AWS_27",
        ]
    );
}
