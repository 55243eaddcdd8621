//! Sweeps, as AWS answers.

use super::*;
use saga::rescue::SWEEP;

fn listed(names: &[&str], age: Duration) -> Answer {
    let stopped = (SystemTime::now() - age).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let item = |name: &&str| {
        json!({
            "executionArn": EXECUTION.replace("o-1", name), "stateMachineArn": MACHINE, "name": name,
            "status": "FAILED", "startDate": 1, "stopDate": stopped,
        })
    };
    Answer::ok(json!({ "executions": names.iter().map(item).collect::<Vec<_>>() }))
}

fn none() -> Answer {
    listed(&[], Duration::ZERO)
}

fn unknown() -> Answer {
    Answer::error("ExecutionDoesNotExist")
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_dead_execution_of_which_no_event_came_is_settled_and_then_known() {
    let case = Case::of(vec![
        listed(&["o-1"], HOUR),
        described("FAILED", &input()),
        unknown(),
        none_parked(),
        started(),
        none(),
        none(),
        listed(&["o-1"], HOUR),
        none(),
        none(),
    ]);
    assert_eq!(case.handle(SWEEP).await, Verdict::Acknowledge);
    let calls = case.calls();
    let expected = [
        "ListExecutions",
        "DescribeExecution",
        "DescribeExecution",
        "Query",
        "StartExecution",
        "ListExecutions",
        "ListExecutions",
    ];
    assert_eq!(names(&calls), expected);
    let statuses = [0, 5, 6].map(|n: usize| calls[n].1["statusFilter"].clone());
    assert_eq!(statuses, ["FAILED", "TIMED_OUT", "ABORTED"]);
    assert_eq!(calls[4].1["name"], json!(successor()));
    let lines = case.lines();
    assert_eq!((&lines[0]["saga_id"], &lines[0]["outcome"]), (&json!("o-1"), &json!("settling")));
    assert_eq!((&lines[1]["outcome"], &lines[1]["settled"]), (&json!("swept"), &json!(1)));

    // As some deliver it.
    assert_eq!(case.handle(r#"{"sweep": true}"#).await, Verdict::Acknowledge);
    assert_eq!(case.calls().len(), expected.len() + 3, "it is not asked about again");
    assert_eq!(case.lines()[2]["settled_before"], 1);
}

#[tokio::test]
async fn what_is_still_not_settled_after_a_while_is_counted() {
    let foreign = || described_as(&successor(), "SUCCEEDED", &input());
    for (age, event) in [(Duration::from_secs(100), None), (HOUR, Some("unsettled_execution"))] {
        let answers = vec![listed(&["o-1"], age), described("FAILED", &input()), foreign(), none(), none()];
        let case = Case::of(answers);
        assert_eq!(case.handle(SWEEP).await, Verdict::Acknowledge);
        let lines = case.lines();
        assert_eq!(lines[0].get("event").and_then(Json::as_str), event);
        assert_eq!((&lines[0]["execution"], &lines[1]["unsettled"]), (&json!(EXECUTION), &json!(1)));
        assert!(
            lines[0]["reason"].as_str().is_some_and(|reason| reason.contains("somebody else started it"))
        );
        assert!(!names(&case.calls()).contains(&"StartExecution"));
    }
}

#[tokio::test]
async fn what_could_not_be_asked_is_swept_again_and_not_counted_as_unsettled() {
    let denied = || Answer::error("AccessDeniedException");
    for answers in [vec![denied(), none(), none()], vec![listed(&["o-1"], HOUR), denied(), none(), none()]] {
        let case = Case::of(answers);
        let verdict = case.handle(SWEEP).await;
        let lines = case.lines();
        let last = lines.last().unwrap();
        let reason = last["reason"].as_str().unwrap_or_default();
        assert_eq!((verdict, &last["outcome"]), (Verdict::deliver_again(reason), &json!("swept_in_part")));
        assert!(reason.contains("dead executions"), "{reason}");
        assert!(lines.iter().all(|line| line.get("event").is_none()), "{lines:?}");
    }
}

#[tokio::test]
async fn a_sweep_that_runs_out_of_time_says_so_and_is_done_again() {
    let mut settling = settling();
    settling["settle"]["status"] = json!("FAILED");
    let mut answers = vec![
        listed(&["o-1", "o-2"], HOUR),
        described("FAILED", &input()),
        described_as(&successor(), "SUCCEEDED", &settling),
        none_parked(),
    ];
    answers.extend(vec![Answer::Silence; 4]);
    let case = Case::of(answers);
    let verdict = case.handle(SWEEP).await;
    let Verdict::DeliverAgain { reason } = verdict else { panic!("{:?}", case.lines()) };
    assert!(reason.contains("could not all be looked at within 1 s"), "{reason}");
    assert_eq!(case.lines()[0]["settled_before"], 1);
}

/// They come faster than they are done: those that were sent before one began are done with it, also in one batch.
#[tokio::test]
async fn sweeps_do_not_pile_up() {
    let case = Case::of(vec![none(); 9]);
    let now = SystemTime::now();
    assert_eq!(case.handle(SWEEP).await, Verdict::Acknowledge);
    assert_eq!(case.calls().len(), 3);
    for age in [HOUR, Duration::from_secs(1)] {
        assert_eq!(case.handle_sent(SWEEP, now - age).await, Verdict::Acknowledge);
        assert_eq!(case.lines().last().unwrap()["outcome"], "swept_since");
        assert_eq!(case.calls().len(), 3);
    }
    // What died since is looked for.
    let later = SystemTime::now() + Duration::from_secs(1);
    assert_eq!(case.handle_sent(SWEEP, later).await, Verdict::Acknowledge);
    assert_eq!((case.lines().last().unwrap()["outcome"].as_str(), case.calls().len()), (Some("swept"), 6));

    let case = Case::of(vec![none(); 3]);
    let handled = [1, 2, 3].map(|age| case.handle_sent(SWEEP, now - Duration::from_secs(age)));
    assert_eq!(futures::future::join_all(handled).await, [(); 3].map(|()| Verdict::Acknowledge));
    assert_eq!(case.calls().len(), 3);
}

/// What one could not do, the next does, however long ago it was sent.
#[tokio::test]
async fn a_sweep_that_was_not_done_is_none() {
    let denied = || Answer::error("AccessDeniedException");
    let case = Case::of(vec![denied(), none(), none(), none(), none(), none()]);
    assert!(matches!(case.handle(SWEEP).await, Verdict::DeliverAgain { .. }));
    assert_eq!(case.handle_sent(SWEEP, SystemTime::now() - HOUR).await, Verdict::Acknowledge);
    assert_eq!(case.lines().last().unwrap()["outcome"], "swept");
}

#[test]
fn a_function_without_state_machines_does_not_start() {
    let variables: Variables = [("FLYOVER_PARKED_TABLE", "parked")].into_iter().collect();
    let error = Rescue::new(&Replay::default().config(), &variables).unwrap_err();
    assert!(format!("{error:?}").contains("FLYOVER_SAGA_"), "{error:?}");
}
