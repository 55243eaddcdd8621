//! The numbers that must fit together, derived from one stage parameter and checked when templates are synthesised.

mod payload;
mod timing;

pub use payload::{MAX_PAYLOAD_BYTES, MAX_VARIABLES_BYTES, PayloadError};
pub use timing::{Backoff, MIN_FUNCTION_TIMEOUT, Timing};

use crate::definition::{Definition, NoticeSpec, Stage, StepSpec};
pub(crate) use payload::{ASIDE_CHARS, CAUSE_CHARS};
use std::{fmt, time::Duration};
use timing::LONGEST_EXECUTION;

/// The most events an execution's history can have.
pub const MAX_HISTORY_EVENTS: u64 = 25_000;

/// The most items beside the fence in one `TransactWriteItems`.
pub const MAX_WRITES: usize = 99;

/// What a saga costs at worst, in time, bytes and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The sum along the longest path: every step times out at its limit, and every undo, recalled step and notice uses
    /// all its retries.
    pub longest: Vec<(String, Duration)>,
    /// The largest message: its step or notice and its bytes.
    pub largest_message: (String, usize),
    /// The most history events of one pass.
    pub history_events: u64,
}

impl Budget {
    /// Derives the budget of a saga and refuses it when the numbers do not fit.
    ///
    /// # Errors
    /// Shows the sum that does not fit.
    pub fn of(definition: &Definition, timing: Timing) -> Result<Self, BudgetError> {
        for step in definition.steps() {
            check_step(step)?;
        }
        let longest = longest_path(definition, timing);
        let (total, saga) = (sum(&longest), definition.name);
        if total > LONGEST_EXECUTION {
            return Err(BudgetError::Longest { saga, total, sum: Sum(longest) });
        }
        if total > definition.deadline {
            let deadline = definition.deadline;
            return Err(BudgetError::Deadline { saga, deadline, total, sum: Sum(longest) });
        }
        let history_events = history_events(definition, timing);
        if history_events > MAX_HISTORY_EVENTS {
            return Err(BudgetError::History { saga: definition.name, events: history_events });
        }
        Ok(Self { longest, largest_message: payload::check(definition)?, history_events })
    }

    /// The sum along the longest path.
    pub fn total(&self) -> Duration {
        sum(&self.longest)
    }
}

fn sum(path: &[(String, Duration)]) -> Duration {
    path.iter().fold(Duration::ZERO, |sum, (_, duration)| sum.saturating_add(*duration))
}

/// A step's timeout is checked as declared, with production's numbers: a stage only scales what fits there.
fn check_step(step: &StepSpec) -> Result<(), BudgetError> {
    let production = Timing::scaled(1);
    let (given, least) = (step.timeout, production.delivery_window());
    if given < least {
        return Err(BudgetError::StepTimeout {
            step: step.name,
            given,
            deliveries: production.max_receive_count(),
            visibility: production.visibility_timeout(),
            least,
        });
    }
    if step.max_writes > MAX_WRITES {
        return Err(BudgetError::Writes { step: step.name, given: step.max_writes });
    }
    Ok(())
}

fn longest_path(definition: &Definition, timing: Timing) -> Vec<(String, Duration)> {
    let once = |step: &StepSpec| timing.send_retry().longest().saturating_add(timing.step_timeout(step));
    let insisted = |step: &StepSpec| {
        let retry = timing.undo_retry();
        let waits = timing.insisted_timeout(step).saturating_mul(retry.max_attempts + 1);
        retry.longest().saturating_add(waits)
    };
    let mut forward: Vec<_> = definition
        .stages
        .iter()
        .map(|stage| {
            let longest = stage.steps().iter().map(once).max().unwrap_or_default();
            (format!("run {}", stage_name(stage)), longest)
        })
        .collect();
    forward.push((format!("run {}", definition.pivot.name), once(&definition.pivot)));
    // Whose the id is, and then how far the saga has got.
    let first = definition.stages.first().map_or(&[][..], Stage::steps);
    forward.extend(first.iter().map(|step| (format!("ask {}", step.name), insisted(step))));
    forward.push((format!("settle {}", definition.pivot.name), insisted(&definition.pivot)));
    // A notice that cannot be published is left out in the end, but only after all its retries.
    let published = |notice: &NoticeSpec| (format!("publish {}", notice.name), timing.send_retry().longest());
    let backward = definition.compensable_steps().map(|step| (format!("undo {}", step.name), insisted(step)));
    let backward: Vec<_> = backward.chain(definition.on_compensate.iter().map(published)).collect();
    // Where another execution got further, what this one does not know is recalled.
    let recalled = definition.steps_needed_after_pivot().into_iter();
    let recalled = recalled.map(|step| (format!("recall {}", step.name), insisted(step)));
    let finish = definition.finish.iter().map(|step| (format!("run {}", step.name), insisted(step)));
    let finish: Vec<_> = recalled.chain(finish).chain(definition.on_commit.iter().map(published)).collect();
    forward.extend(if sum(&backward) >= sum(&finish) { backward } else { finish });
    forward
}

fn stage_name(stage: &Stage) -> String {
    stage.steps().iter().map(|step| step.name).collect::<Vec<_>>().join(" + ")
}

/// A task enters, is scheduled, started, submitted and answered, and exits: 6 events, of which a retry repeats 4.
fn history_events(definition: &Definition, timing: Timing) -> u64 {
    let task = |attempts: u32| 2 + 4 * u64::from(attempts + 1);
    let (send, undo) = (timing.send_retry().max_attempts, timing.undo_retry().max_attempts);
    // A saga that is parked writes its record, the decision and takes the record away.
    let parking = 3 * task(timing.parking_retry().max_attempts);
    let compensable = definition.compensable_steps().count() as u64;
    let finish = definition.finish.len() as u64;
    let notices = definition.on_commit.len().max(definition.on_compensate.len()) as u64;
    let first = definition.stages.first().map_or(0, |stage| stage.steps().len()) as u64;
    // A step before the pivot is undone or recalled, never both. Those of the first stage may be asked whose the id is. The
    // pivot is run and settled; 20 for start, end, choices and group states.
    (compensable + 1 + notices) * task(send) + (first + compensable + 1 + finish) * task(undo) + parking + 20
}

/// A sum with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum(Vec<(String, Duration)>);

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (what, duration)) in self.0.iter().enumerate() {
            let plus = if n == 0 { "" } else { " + " };
            write!(f, "{plus}{what} {} s", duration.as_secs())?;
        }
        Ok(())
    }
}

/// Why the numbers of a saga do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// A step's timeout is shorter than its deliveries can take.
    #[error(
        "step `{step}` waits {} s, but {deliveries} deliveries x {} s visibility timeout = {} s: raise `Step::TIMEOUT`, or a backlog would compensate",
        given.as_secs(), visibility.as_secs(), least.as_secs()
    )]
    StepTimeout {
        /// The step.
        step: &'static str,
        /// The timeout given.
        given: Duration,
        /// Deliveries.
        deliveries: u32,
        /// Visibility timeout.
        visibility: Duration,
        /// The least timeout.
        least: Duration,
    },
    /// A commit can be too large for one transaction.
    #[error(
        "step `{step}` may write {given} items, but a transaction takes {MAX_WRITES} beside the fence: lower `Step::MAX_WRITES`"
    )]
    Writes {
        /// The step.
        step: &'static str,
        /// The number given.
        given: usize,
    },
    /// Something can be too large for Step Functions.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The longest path is longer than an execution can last.
    #[error(
        "saga `{saga}` can take {} s, but an execution of a standard workflow lasts {} s at most: lower the timeouts of {sum}",
        total.as_secs(), LONGEST_EXECUTION.as_secs()
    )]
    Longest {
        /// The saga.
        saga: &'static str,
        /// The sum.
        total: Duration,
        /// Its parts.
        sum: Sum,
    },
    /// The longest path is longer than the deadline.
    #[error("saga `{saga}` can take {} s, but its deadline is {} s: {sum}", total.as_secs(), deadline.as_secs())]
    Deadline {
        /// The saga.
        saga: &'static str,
        /// The deadline given.
        deadline: Duration,
        /// The sum.
        total: Duration,
        /// Its parts.
        sum: Sum,
    },
    /// The history can be too long.
    #[error(
        "saga `{saga}` can have {events} history events, but an execution takes {MAX_HISTORY_EVENTS}: split it"
    )]
    History {
        /// The saga.
        saga: &'static str,
        /// The events.
        events: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Kind;

    fn step(name: &'static str, kind: Kind, output: &'static str) -> StepSpec {
        StepSpec {
            name,
            participant: "shop",
            kind,
            inputs: &["order"],
            input_max_bytes: 1_000,
            output,
            output_max_bytes: 100,
            rejections: &["OutOfStock"],
            timeout: Duration::from_mins(15),
            max_writes: 10,
        }
    }

    fn saga() -> Definition {
        Definition {
            name: "order",
            input: "order",
            input_max_bytes: 1_000,
            stages: vec![Stage::Step(step("reserve", Kind::Compensable, "reservation"))],
            pivot: step("confirm", Kind::Pivot, "confirmation"),
            finish: vec![step("ship", Kind::Retriable, "shipment")],
            on_commit: vec![NoticeSpec { name: "Confirmed", inputs: &["order"], input_max_bytes: 1_000 }],
            on_compensate: vec![NoticeSpec { name: "Rejected", inputs: &["order"], input_max_bytes: 1_000 }],
            deadline: Duration::from_hours(24),
            schemas: crate::schema::SagaSchemas::default(),
            written: crate::schema::SagaSchemas::default(),
        }
    }

    /// Why a saga that is changed like this does not fit.
    fn told(change: impl FnOnce(&mut Definition)) -> String {
        let mut saga = saga();
        change(&mut saga);
        Budget::of(&saga, Timing::scaled(1)).unwrap_err().to_string()
    }

    fn stage(saga: &mut Definition) -> &mut StepSpec {
        match &mut saga.stages[0] {
            Stage::Step(step) => step,
            Stage::Parallel(steps) => &mut steps[0],
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_sum() {
        insta::assert_snapshot!(told(|saga| saga.pivot.timeout = Duration::from_secs(599)), @"step `confirm` waits 599 s, but 5 deliveries x 120 s visibility timeout = 600 s: raise `Step::TIMEOUT`, or a backlog would compensate");
        insta::assert_snapshot!(told(|saga| stage(saga).max_writes = 100), @"step `reserve` may write 100 items, but a transaction takes 99 beside the fence: lower `Step::MAX_WRITES`");
        insta::assert_snapshot!(told(|saga| saga.pivot.input_max_bytes = 259_145), @"the message of step `confirm` can have 262145 bytes (259145 of input + 3000 of envelope), but 262144 are allowed: lower `Value::MAX_BYTES` of its inputs");
        insta::assert_snapshot!(told(|saga| saga.on_compensate[0].input_max_bytes = 250_000), @"the message of notice `Rejected` can have 278736 bytes (250000 of input + 3000 of envelope + 25736 of reason), but 262144 are allowed: lower `Value::MAX_BYTES` of its inputs");
        insta::assert_snapshot!(told(|saga| stage(saga).output_max_bytes = 262_145), @"the answer of step `reserve` can have 262145 bytes (262145 of output), but 262144 are allowed: lower `Value::MAX_BYTES` of `reservation`");
        insta::assert_snapshot!(told(|saga| saga.pivot.output_max_bytes = 262_100), @"the answer of step `confirm` can have 262220 bytes (262100 of output + 120 of direction), but 262144 are allowed: lower `Value::MAX_BYTES` of `confirmation`");
        insta::assert_snapshot!(told(|saga| {
            let half = StepSpec { output_max_bytes: 131_072, ..stage(saga).clone() };
            saga.stages = vec![Stage::Parallel(vec![half.clone(), half])];
        }), @"the result of the group of `reserve`, `reserve` can have 262147 bytes (131072 of reservation + 131072 of reservation + 3 of commas), but 262144 are allowed: lower `Value::MAX_BYTES` of these outputs, or run the steps one after the other");
        insta::assert_snapshot!(told(|saga| saga.input_max_bytes = 260_000), @"the input of saga `order` can have 263000 bytes (260000 of input + 3000 of envelope), but 262144 are allowed: lower `Value::MAX_BYTES` of `order`");
        insta::assert_snapshot!(told(|saga| steps(saga, 42, Duration::from_mins(15))), @"the parked record of saga `order` can have 265740 bytes (230748 of failures + 29992 of reason + 5000 of the rest), but 262144 are allowed: split the saga: it has too many steps");
        insta::assert_snapshot!(told(|saga| {
            steps(saga, 38, Duration::from_mins(15));
            saga.stages.iter_mut().for_each(|stage| if let Stage::Step(step) = stage { step.output_max_bytes = 262_144 });
            saga.pivot.output_max_bytes = 200_000;
        }), @"what saga `order` holds can have 10998884 bytes (10161572 of outputs + 575168 of failures + 262144 of an answer), but 10485760 are allowed: lower `Value::MAX_BYTES` of its values, or split the saga");
        insta::assert_snapshot!(told(|saga| saga.deadline = Duration::from_hours(1)), @"saga `order` can take 22683 s, but its deadline is 3600 s: run reserve 951 s + run confirm 951 s + ask reserve 6910 s + settle confirm 6910 s + undo reserve 6910 s + publish Rejected 51 s");
        insta::assert_snapshot!(told(|saga| {
            saga.deadline = Duration::MAX;
            saga.finish = vec![step("ship", Kind::Retriable, "shipment"); 900];
        }), @"saga `order` can have 28442 history events, but an execution takes 25000: split it");
    }

    fn steps(saga: &mut Definition, number: usize, timeout: Duration) {
        let step = StepSpec { timeout, ..stage(saga).clone() };
        saga.stages = vec![Stage::Step(step); number];
        saga.deadline = Duration::from_hours(365 * 24);
    }

    #[test]
    fn a_timeout_without_end_is_refused() {
        let told = |change: fn(&mut Definition)| {
            told(|saga| {
                saga.deadline = Duration::MAX;
                change(saga);
            })
        };
        let refused =
            "an execution of a standard workflow lasts 31536000 s at most: lower the timeouts of run";
        let told = [
            told(|saga| saga.pivot.timeout = Duration::MAX),
            told(|saga| stage(saga).timeout = Duration::MAX),
            told(|saga| saga.finish[0].timeout = Duration::from_secs(u64::MAX / 2)),
            told(|saga| steps(saga, 3, Duration::from_secs(u64::MAX / 3))),
        ];
        for told in told {
            assert!(told.contains(refused), "{told}");
        }
    }

    #[test]
    fn what_just_fits_is_allowed() {
        let mut saga = saga();
        saga.pivot.timeout = Duration::from_secs(600);
        saga.pivot.input_max_bytes = 259_144;
        saga.input_max_bytes = 259_144;
        saga.pivot.output_max_bytes = 254_448;
        stage(&mut saga).output_max_bytes = MAX_PAYLOAD_BYTES;
        stage(&mut saga).max_writes = 99;
        let budget = Budget::of(&saga, Timing::scaled(1)).unwrap();
        assert_eq!(budget.largest_message, ("confirm".to_owned(), MAX_PAYLOAD_BYTES));
        saga.deadline = budget.total();
        assert_eq!(Budget::of(&saga, Timing::scaled(1)), Ok(budget));
    }

    #[test]
    fn the_longest_path_runs_settles_and_then_undoes_or_finishes_whichever_is_longer() {
        let path = |saga: &Definition| {
            let budget = Budget::of(saga, Timing::scaled(1)).unwrap();
            budget.longest.into_iter().map(|(what, duration)| (what, duration.as_secs())).collect::<Vec<_>>()
        };
        let entry = |what: &str, seconds| (what.to_owned(), seconds);
        let runs = [entry("run reserve", 951), entry("run confirm", 951)];
        let start = [&runs[..], &[entry("ask reserve", 6_910), entry("settle confirm", 6_910)]].concat();
        let mut saga = saga();
        let undone = [entry("undo reserve", 6_910), entry("publish Rejected", 51)];
        assert_eq!(path(&saga), [&start[..], &undone].concat());
        saga.finish[0].timeout = Duration::from_mins(20);
        let shipped = [entry("run ship", 9_010), entry("publish Confirmed", 51)];
        assert_eq!(path(&saga), [&start[..], &shipped].concat());
        // What is needed after the pivot may have to be asked for again.
        saga.on_commit[0].inputs = &["reservation"];
        let recalled = [entry("recall reserve", 6_910)];
        assert_eq!(path(&saga), [&start[..], &recalled, &shipped].concat());
    }

    #[test]
    fn a_backoff_doubles_up_to_its_cap() {
        let backoff = |interval, max_delay, max_attempts| Backoff {
            interval: Duration::from_secs(interval),
            max_delay: Duration::from_secs(max_delay),
            max_attempts,
        };
        assert_eq!(backoff(1, 20, 6).longest(), Duration::from_secs(1 + 2 + 4 + 8 + 16 + 20));
        assert_eq!(backoff(10, 300, 6).longest(), Duration::from_secs(10 + 20 + 40 + 80 + 160 + 300));
        assert_eq!(backoff(1, 1, 3).longest(), Duration::from_secs(3));
        assert_eq!(backoff(5, 9, 0).longest(), Duration::ZERO);
        assert_eq!(backoff(1, 2, 100).longest(), Duration::from_secs(1 + 99 * 2));
    }

    #[test]
    fn the_numbers_fit_together_at_every_scale() {
        for scale in 0..=60 {
            let timing = Timing::scaled(scale);
            assert!(timing.function_timeout() >= MIN_FUNCTION_TIMEOUT, "scale {scale}");
            assert!(timing.visibility_timeout() >= timing.function_timeout() * 6, "scale {scale}");
            assert!(timing.queue_retention() > timing.delivery_window(), "scale {scale}");
            let beyond = LONGEST_EXECUTION + timing.dead_letter_retention() + timing.queue_retention();
            assert!(timing.fence_ttl() >= beyond, "scale {scale}");
            let (interval, window) = (timing.reconciliation_interval(), timing.reconciliation_window());
            assert!(interval >= Duration::from_mins(1) && interval.as_secs() % 60 == 0, "scale {scale}");
            assert!(timing.reconciliation_timeout() <= interval, "scale {scale}");
            assert!(window > timing.reconciliation_grace() + interval * 2, "scale {scale}");
            let (sweeps, overdue) = (timing.sweep_interval(), timing.unsettled_after());
            assert!(sweeps >= Duration::from_mins(1) && sweeps.as_secs() % 60 == 0, "scale {scale}");
            assert!(overdue > timing.rescue_delay() && overdue < timing.sweep_window(), "scale {scale}");
            for retry in [timing.send_retry(), timing.undo_retry()] {
                assert!(
                    retry.interval >= Duration::from_secs(1) && retry.max_delay >= retry.interval,
                    "scale {scale}"
                );
            }
            for minutes in [10, 15, 60] {
                let mut saga = saga();
                saga.pivot.timeout = Duration::from_mins(minutes);
                let waits = timing.step_timeout(&saga.pivot);
                assert!(waits >= timing.delivery_window(), "scale {scale}: {minutes} minutes are {waits:?}");
                assert!(waits <= saga.pivot.timeout, "scale {scale}: {minutes} minutes are {waits:?}");
                assert!(Budget::of(&saga, timing).is_ok(), "scale {scale}: {minutes} minutes");
            }
        }
    }

    /// A flood is worked off in the time that a step declares; what is asked again needs less, because it is asked again.
    #[test]
    fn a_step_waits_for_hours_and_an_undo_for_its_deliveries() {
        let mut saga = saga();
        stage(&mut saga).timeout = Duration::from_hours(2);
        saga.finish[0].timeout = Duration::from_hours(2);
        let step = stage(&mut saga).clone();
        let (production, trial) = (Timing::scaled(1), Timing::scaled(5));
        assert_eq!(production.step_timeout(&step), Duration::from_hours(2));
        assert_eq!(production.insisted_timeout(&step), Duration::from_mins(15));
        assert_eq!(production.insisted_timeout(&saga.finish[0]), Duration::from_hours(2));
        assert_eq!(trial.step_timeout(&step), Duration::from_mins(3), "as a quarter of an hour");
        assert_eq!(trial.insisted_timeout(&step), Duration::from_mins(3));
    }

    #[test]
    fn a_backlog_is_what_five_a_second_work_off_in_the_shortest_wait() {
        let mut saga = saga();
        stage(&mut saga).timeout = Duration::from_hours(2);
        let all = || {
            saga.steps().flat_map(|step| {
                [Timing::scaled(1).step_timeout(step), Timing::scaled(1).insisted_timeout(step)]
            })
        };
        assert_eq!(all().max(), Some(Duration::from_hours(2)));
        let backlog = Timing::scaled(1).max_backlog(saga.steps());
        assert_eq!(backlog, 15 * 60 * 5, "undos wait less");
        assert!(all().all(|wait| Duration::from_secs(backlog / 5) <= wait));
    }

    #[test]
    fn production_takes_a_timeout_as_declared() {
        assert_eq!(Timing::scaled(1).step_timeout(&saga().pivot), Duration::from_mins(15));
        assert_eq!(Timing::scaled(0), Timing::scaled(1));
    }
}
