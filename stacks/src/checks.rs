//! What must fit together before a template is written, and why it may not.

use cfn::TemplateError;
use saga::{
    Definition, DefinitionError, Intake, NoticeConsumer, ParticipantSpec, Startables, asl::CompileError,
    budget::Timing,
};
use std::{collections::BTreeSet, time::Duration};

/// The longest a queue can hide a message.
const MAX_VISIBILITY_TIMEOUT: Duration = Duration::from_hours(12);

/// The longest a function can run.
const MAX_FUNCTION_TIMEOUT: Duration = Duration::from_mins(15);

/// Why the stacks cannot be synthesised.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// Two sagas do not go together, or a name is not allowed.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A saga cannot become a state machine.
    #[error("saga `{saga}` cannot be compiled")]
    Compile {
        /// The saga.
        saga: &'static str,
        /// Why.
        source: CompileError,
    },
    /// A state machine cannot be written as JSON.
    #[error("the state machine of saga `{saga}` cannot be written")]
    Write {
        /// The saga.
        saga: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The schemas cannot be written as JSON.
    #[error("the schemas of `{name}` cannot be written")]
    Schemas {
        /// Of a saga, or of the envelope.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A participant is not listed.
    #[error(
        "step `{step}` of saga `{saga}` belongs to participant `{participant}`, which is not among the participants of the deployment: list it there"
    )]
    UnlistedParticipant {
        /// The saga.
        saga: &'static str,
        /// The step.
        step: &'static str,
        /// The participant that is missing.
        participant: &'static str,
    },
    /// An intake starts a saga that is not there.
    #[error(
        "`{intake}` starts the saga `{saga}`, which is not among the sagas of the deployment: list it there"
    )]
    UnlistedSaga {
        /// The intake.
        intake: &'static str,
        /// The saga that is missing.
        saga: &'static str,
    },
    /// Nobody makes anything of a notice.
    #[error(
        "saga `{saga}` publishes the notice `{notice}`, which nobody handles: list it in `handles` of the consumer that \
         does, or declare it as for others, who subscribe to the topic"
    )]
    UnhandledNotice {
        /// The saga.
        saga: &'static str,
        /// The notice.
        notice: &'static str,
    },
    /// What handles notices is no function.
    #[error(
        "`{consumer}` is said to handle notices, but is no function of this deployment: use one of {functions:?}"
    )]
    UnknownConsumer {
        /// The consumer.
        consumer: &'static str,
        /// The functions that take messages.
        functions: Vec<&'static str>,
    },
    /// Two functions would have one name.
    #[error("two functions are named `{name}`: rename the participant, functions are named after them")]
    DuplicateFunction {
        /// The name.
        name: &'static str,
    },
    /// An entity is owned twice.
    #[error(
        "the entity `{entity}` is owned by `{first}` and by `{second}`: an entity has one owner, give each its own"
    )]
    SharedEntity {
        /// The entity.
        entity: &'static str,
        /// Who owns it first.
        first: &'static str,
        /// Who owns it again.
        second: &'static str,
    },
    /// A duration does not fit another, or a limit of AWS.
    #[error("{what} is {} s, but {bound} {} s: change `saga::budget::Timing` or the scale of the stage", given.as_secs(), allowed.as_secs())]
    Timing {
        /// The duration.
        what: &'static str,
        /// Its value.
        given: Duration,
        /// What it is compared with.
        bound: &'static str,
        /// The value of that.
        allowed: Duration,
    },
    /// A template is refused.
    #[error("the template of stack `{stack}` is refused")]
    Template {
        /// The stack.
        stack: &'static str,
        /// Why.
        source: Box<TemplateError>,
    },
}

/// Whether the sagas, their participants and the durations fit together.
pub(crate) fn check(
    sagas: &[Definition],
    participants: &[ParticipantSpec],
    functions: &[&'static str],
    timing: Timing,
) -> Result<(), SynthError> {
    saga::check_together(sagas)?;
    check_participants(sagas, participants)?;
    check_functions(functions)?;
    check_entities(participants)?;
    check_timing(timing)
}

/// Whether every saga that an intake starts is there.
pub(crate) fn check_intake<I: Intake>(sagas: &[Definition]) -> Result<(), SynthError> {
    let is_there = |name: &&&'static str| sagas.iter().any(|saga| saga.name == **name);
    match I::Sagas::NAMES.iter().find(|name| !is_there(name)) {
        Some(saga) => Err(SynthError::UnlistedSaga { intake: I::NAME, saga }),
        None => Ok(()),
    }
}

/// Whether every notice of the sagas is handled by a consumer, which is one of these functions, or declared as for others.
pub(crate) fn check_notices(
    sagas: &[Definition],
    consumers: &[NoticeConsumer],
    for_others: &[&str],
    functions: &[&'static str],
) -> Result<(), SynthError> {
    if let Some(consumer) = consumers.iter().find(|consumer| !functions.contains(&consumer.name)) {
        return Err(SynthError::UnknownConsumer { consumer: consumer.name, functions: functions.to_vec() });
    }
    let is_wanted = |notice: &str| {
        consumers.iter().any(|consumer| consumer.handles(notice)) || for_others.contains(&notice)
    };
    for saga in sagas {
        if let Some(notice) = saga.notices().find(|notice| !is_wanted(notice.name)) {
            return Err(SynthError::UnhandledNotice { saga: saga.name, notice: notice.name });
        }
    }
    Ok(())
}

fn check_participants(sagas: &[Definition], participants: &[ParticipantSpec]) -> Result<(), SynthError> {
    let listed: BTreeSet<_> = participants.iter().map(|participant| participant.name).collect();
    for saga in sagas {
        if let Some(step) = saga.steps().find(|step| !listed.contains(step.participant)) {
            let (saga, step, participant) = (saga.name, step.name, step.participant);
            return Err(SynthError::UnlistedParticipant { saga, step, participant });
        }
    }
    Ok(())
}

fn check_functions(functions: &[&'static str]) -> Result<(), SynthError> {
    let mut names = BTreeSet::new();
    match functions.iter().find(|name| !names.insert(**name)) {
        Some(name) => Err(SynthError::DuplicateFunction { name }),
        None => Ok(()),
    }
}

fn check_entities(participants: &[ParticipantSpec]) -> Result<(), SynthError> {
    let mut owned: Vec<(&'static str, &'static str)> = Vec::new();
    for participant in participants {
        for entity in participant.entities {
            if let Some((_, first)) = owned.iter().find(|(name, _)| *name == entity.name) {
                return Err(SynthError::SharedEntity {
                    entity: entity.name,
                    first,
                    second: participant.name,
                });
            }
            owned.push((entity.name, participant.name));
        }
    }
    Ok(())
}

fn check_timing(timing: Timing) -> Result<(), SynthError> {
    let visibility = timing.visibility_timeout();
    let least = timing.function_timeout() * 6;
    at_least("the visibility timeout", visibility, "six times the function's timeout is", least)?;
    at_most("the visibility timeout", visibility, "SQS allows", MAX_VISIBILITY_TIMEOUT)?;
    at_most("the function's timeout", timing.function_timeout(), "Lambda allows", MAX_FUNCTION_TIMEOUT)?;
    let retention = timing.queue_retention();
    at_least("the queue's retention", retention, "all deliveries can take", timing.delivery_window())?;
    // A standard queue's dead letter keeps the time it was sent first, so what it waited before counts.
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
    let (dead, longer) = (timing.dead_letter_retention(), retention + Duration::from_hours(24));
    at_least(
        "the dead-letter queue's retention",
        dead,
        "the queue's retention and a day for operators is",
        longer,
    )
}

/// Whether reconciliation sees each charge when its saga, which takes this long, must have decided about it.
pub(crate) fn reconciliation(timing: Timing, longest_saga: Duration) -> Result<(), SynthError> {
    let (timeout, window) = (timing.reconciliation_timeout(), timing.reconciliation_window());
    at_most("the timeout of reconciliation", timeout, "Lambda allows", MAX_FUNCTION_TIMEOUT)?;
    let least = longest_saga + timing.reconciliation_interval() * 2;
    at_least("the window of reconciliation", window, "the longest saga and two intervals are", least)?;
    // Of an expired fence nothing is left: its charge would be taken for an orphan.
    at_most("the window of reconciliation", window, "a fence is kept for", timing.fence_ttl())
}

fn at_least(
    what: &'static str,
    given: Duration,
    bound: &'static str,
    allowed: Duration,
) -> Result<(), SynthError> {
    if given < allowed { Err(SynthError::Timing { what, given, bound, allowed }) } else { Ok(()) }
}

fn at_most(
    what: &'static str,
    given: Duration,
    bound: &'static str,
    allowed: Duration,
) -> Result<(), SynthError> {
    if given > allowed { Err(SynthError::Timing { what, given, bound, allowed }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;
    use saga::NoticeSpec;
    use sagas::{intakes::OrderIntake, notices};

    #[test]
    fn the_deployment_fits_together_in_every_stage() {
        for stage in Stage::ALL {
            let (sagas, participants) = (sagas::all(), sagas::participants());
            assert!(check(&sagas, &participants, &["orders"], stage.timing()).is_ok(), "{stage}");
        }
    }

    #[test]
    fn an_intake_that_starts_a_saga_that_is_not_there_is_refused() {
        assert!(check_intake::<OrderIntake>(&sagas::all()).is_ok());
        let error = check_intake::<OrderIntake>(&sagas::all()[..1]).expect_err("it starts two");
        assert_eq!(
            error.to_string(),
            "`order-intake` starts the saga `cancel-order`, which is not among the sagas of the deployment: list it there"
        );
    }

    #[test]
    fn a_notice_that_nobody_handles_is_refused_unless_it_is_for_others() {
        let (mut sagas, consumers) = (sagas::all(), [notices::NOTIFICATION]);
        let functions = ["notification", "orders"];
        assert!(check_notices(&sagas, &consumers, notices::FOR_OTHERS, &functions).is_ok());
        let shipped = NoticeSpec { name: "OrderShipped", ..sagas[0].on_commit[0].clone() };
        sagas[0].on_commit.push(shipped);
        let error = check_notices(&sagas, &consumers, &[], &functions).expect_err("nobody handles it");
        assert_eq!(
            error.to_string(),
            "saga `order` publishes the notice `OrderShipped`, which nobody handles: list it in `handles` of the \
             consumer that does, or declare it as for others, who subscribe to the topic"
        );
        assert!(check_notices(&sagas, &consumers, &["OrderShipped"], &functions).is_ok());
        let error =
            check_notices(&sagas, &[], &["OrderShipped"], &functions).expect_err("there is no consumer");
        assert!(error.to_string().contains("`OrderConfirmed`"), "{error}");
        let error =
            check_notices(&sagas, &consumers, &[], &["orders"]).expect_err("there is no such function");
        assert_eq!(
            error.to_string(),
            "`notification` is said to handle notices, but is no function of this deployment: use one of [\"orders\"]"
        );
    }

    #[test]
    fn a_step_without_a_listed_participant_is_refused() {
        let participants: Vec<_> =
            sagas::participants().into_iter().filter(|participant| participant.name != "payment").collect();
        let error = check_participants(&sagas::all(), &participants).expect_err("payment is missing");
        assert_eq!(
            error.to_string(),
            "step `charge-payment` of saga `order` belongs to participant `payment`, which is not among \
             the participants of the deployment: list it there"
        );
    }

    #[test]
    fn a_function_named_twice_is_refused() {
        let error = check_functions(&["orders", "payment", "orders"]).expect_err("named twice");
        assert!(error.to_string().contains("`orders`"), "{error}");
    }

    #[test]
    fn an_entity_with_two_owners_is_refused() {
        let orders = sagas::participants()[0];
        let other = ParticipantSpec { name: "archive", ..orders };
        let error = check_entities(&[orders, other]).expect_err("owned twice");
        assert!(error.to_string().contains("`orders` is owned by `orders` and by `archive`"), "{error}");
    }

    #[test]
    fn a_saga_that_outlasts_the_window_of_reconciliation_is_refused() {
        let timing = Stage::Prod.timing();
        assert!(reconciliation(timing, Duration::from_hours(12)).is_ok());
        let error = reconciliation(timing, Duration::from_hours(24)).expect_err("never judged");
        assert!(
            error.to_string().starts_with(
                "the window of reconciliation is 86400 s, but the longest saga and two intervals are 87000 s"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_duration_over_its_bound_is_shown_with_the_bound() {
        let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
        assert!(at_least("a", day, "b is", hour).is_ok() && at_most("a", hour, "b is", day).is_ok());
        let error = at_most("the wait", day, "SQS allows", hour).expect_err("too long");
        assert!(error.to_string().starts_with("the wait is 86400 s, but SQS allows 3600 s"), "{error}");
    }
}
