use super::super::{Action, Failure, State};
use super::*;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn row(id: &str, state: State, outcome: Option<&str>, error: Option<&str>) -> SagaRow {
    SagaRow {
        id: id.to_owned(),
        saga: "order".to_owned(),
        state,
        outcome: outcome.map(str::to_owned),
        error: error.map(str::to_owned),
        started: some("2026-01-02T03:04:05.678Z"),
        ended: outcome.map(|_| "2026-01-02T03:04:06Z".to_owned()),
        settlements: 0,
    }
}

fn record() -> ParkedRecord {
    let failure =
        Failure { error: "Flyover.DeliveriesExhausted".to_owned(), cause: some("the gateway: 503") };
    ParkedRecord {
        id: "o-1".to_owned(),
        what: "undo order".to_owned(),
        saga: "order".to_owned(),
        execution: "o-1".to_owned(),
        execution_arn: some("arn"),
        steps: vec!["charge-payment".to_owned(), "create-order".to_owned()],
        failures: [("charge-payment".to_owned(), failure)].into(),
        attempts: Some(4),
        reason: some("PaymentDeclined"),
        since: some("2026-01-02T03:04:05.678Z"),
        can_skip: true,
    }
}

fn decision() -> Decision {
    Decision {
        id: "o-1".to_owned(),
        at: "2026-01-02T04:00:00Z".to_owned(),
        saga: "order".to_owned(),
        execution: "o-1".to_owned(),
        of: "undo order".to_owned(),
        steps: vec!["charge-payment".to_owned()],
        action: "skip".to_owned(),
        reason: some("refunded\nby hand\u{1b}[2J"),
        by: some("arn:aws:iam::1:user/nancy"),
    }
}

fn letter() -> DeadLetter {
    DeadLetter {
        queue: "payment".to_owned(),
        message_id: "m-2".to_owned(),
        logged_as: "m-1".to_owned(),
        saga: some("order"),
        id: some("o-1"),
        step: some("charge-payment"),
        item: None,
        op: some("undo"),
        event: None,
        reason: some("the gateway: 503"),
        deliveries: Some(5),
        since: some("2026-01-02T03:04:05Z"),
    }
}

/// The same lines, without the spaces that tables end lines with.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn data(text: &str) -> Vec<String> {
    lines(text).into_iter().filter(|line| !line.is_empty() && !line.starts_with('─')).collect()
}

#[test]
fn a_list_has_a_line_for_each_saga_and_says_how_it_goes_on() {
    let mut list = Listing {
        sagas: vec![
            row("o-1", State::Compensated, Some("compensated"), Some("OutOfStock")),
            row("o-2", State::Running, None, None),
        ],
        next: some("order/all/token"),
    };
    assert_eq!(
        data(&listing(&list)),
        [
            "id saga state outcome why started ended",
            "o-1 order compensated compensated OutOfStock 2026-01-02T03:04:05Z 2026-01-02T03:04:06Z",
            "o-2 order running - - 2026-01-02T03:04:05Z -",
            "there may be more: --next 'order/all/token'",
        ]
    );
    list.next = None;
    assert!(!listing(&list).contains("--next"));
    assert_eq!(listing(&Listing::default()), "no such sagas");
}

#[test]
fn what_is_parked_and_decided_is_told_without_steering_the_terminal() {
    let told = parked(&Parked { parked: vec![record()], decisions: vec![decision()] });
    assert!(!told.contains('\u{1b}'), "{told:?}");
    assert_eq!(
        data(&told),
        [
            "id what could not be done why attempts skip reason since execution",
            "o-1 undo order charge-payment Flyover.DeliveriesExhausted: the gateway: 503 4 can be PaymentDeclined 2026-01-02T03:04:05Z o-1",
            "decisions",
            "at id of steps action reason by execution",
            "2026-01-02T04:00:00Z o-1 undo order charge-payment skip refunded by hand [2J arn:aws:iam::1:user/nancy o-1",
        ]
    );
    assert_eq!(parked(&Parked::default()), "nothing is parked");
}

#[test]
fn a_story_has_a_part_for_everything_that_is_known() {
    let attempt = Attempt {
        at: some("2026-01-02T03:04:05Z"),
        until: some("2026-01-02T03:04:07.5Z"),
        execution: "o-1".to_owned(),
        kind: Kind::Run,
        what: "create-order".to_owned(),
        attempt: 1,
        result: Outcome::TimedOut,
        error: some("States.Timeout"),
        cause: None,
    };
    let execution = ExecutionRow {
        name: "o-1".to_owned(),
        arn: "arn".to_owned(),
        status: "ABORTED".to_owned(),
        started: some("2026-01-02T03:04:05Z"),
        ended: None,
        error: None,
        cause: some("stopped by hand"),
    };
    let fence = FenceRow {
        participant: "orders".to_owned(),
        saga: some("order"),
        step: "create-order".to_owned(),
        item: None,
        run: None,
        state: "abandoned".to_owned(),
        was: some("done"),
        error: None,
        at: None,
    };
    let saga = SagaStory {
        row: row("o-1", State::Aborted, None, Some("Stopped")),
        executions: vec![execution],
        timeline: vec![attempt],
    };
    let told = story(&Story {
        id: "o-1".to_owned(),
        sagas: vec![saga],
        fences: vec![fence],
        parked: vec![record()],
        decisions: vec![decision()],
        dead_letters: vec![letter()],
        dead_letters_complete: false,
    });
    let told = data(&told);
    for expected in [
        "saga order of o-1 is aborted (Stopped)",
        "o-1 ABORTED - stopped by hand 2026-01-02T03:04:05Z -",
        "timeline",
        "2026-01-02T03:04:05Z 03:04:07.5 run create-order 1 timed out States.Timeout - o-1",
        "fences",
        "orders order create-order - abandoned done - -",
        "parked",
        "decisions",
        "dead letters",
        "payment o-1 undo charge-payment the gateway: 503 2026-01-02T03:04:05Z m-1",
        "there are more dead letters than were looked through",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected:?} is not in {told:#?}");
    }
    let refused = Story { id: "o-9".to_owned(), dead_letters_complete: true, ..Story::default() };
    assert_eq!(story(&refused), "there is no saga o-9");
}

#[test]
fn a_dead_letter_without_a_reason_says_where_to_look() {
    let mut found = DeadLetters { letters: vec![letter()], complete: true, ..DeadLetters::default() };
    found.letters[0].reason = None;
    assert!(dead_letters(&found).contains("the function did not say: see its log"));
    assert!(!dead_letters(&found).contains("there are more"));
    found.complete = false;
    found.queues = [("orders".to_owned(), 0), ("payment".to_owned(), 120)].into();
    assert!(dead_letters(&found).ends_with("there are more, about: payment 120; raise `--limit`"));
}

#[test]
fn what_was_done_is_told_in_a_sentence() {
    let redrive = |means| redriven(&[Redriven { queue: "payment".to_owned(), messages: 3, means }]);
    assert_eq!(redrive(Means::MoveTask), "SQS moves about 3 messages back to the queue of payment");
    assert_eq!(redrive(Means::OneByOne), "moved 3 messages back to the queue of payment");
    assert_eq!(redriven(&[]), "there are no dead letters");
    let told = answered(&Answered {
        id: "o-1".to_owned(),
        saga: "order".to_owned(),
        execution: "o-1".to_owned(),
        what: "undo order".to_owned(),
        steps: vec!["charge-payment".to_owned()],
        action: Action::Skip,
        reason: "refunded by hand".to_owned(),
        by: "nancy".to_owned(),
    });
    assert_eq!(told, "told execution o-1 to skip `undo order` (charge-payment), by nancy");
    let told = settling(&Settling {
        id: "o-1".to_owned(),
        saga: "order".to_owned(),
        dead: "o-1".to_owned(),
        status: "ABORTED".to_owned(),
        execution: "o-1.settle-1".to_owned(),
        attempt: 1,
    });
    assert_eq!(told, "started execution o-1.settle-1 of saga order: it settles o-1, which is ABORTED");
}
