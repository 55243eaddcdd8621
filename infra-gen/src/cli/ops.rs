//! `infra-gen ops …`.

use std::process::ExitCode;

use anyhow::Context;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use infra_gen::ops::{Action, Answer, ErrorKind, ListOptions, Operations, OpsError, State, text};
use saga::SagaId;
use serde::Serialize;
use serde_json::json;

use super::args::TargetArgs;
use super::{aws, output};

const EXIT_CODES: &str = "\
Exit codes:
    0    done
    1    AWS could not be asked, refused, or holds what cannot be read
    2    the command line is wrong
    3    what was asked for does not exist
    4    refused, because it makes no sense as things are
  130    interrupted";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct OpsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    target: TargetArgs,
    /// Write JSON, as docs/operations.md describes it
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List sagas, the most recent first
    List(ListArgs),
    /// Show everything about a saga id: executions, attempts, fences, parked records, dead letters
    Show(SagaIdArgs),
    /// List what waits for an operator
    Parked {
        /// And what operators decided
        #[arg(long)]
        decisions: bool,
    },
    /// Have a parked saga try again
    Retry(AnswerArgs),
    /// Have a parked saga go on without what could not be done, which is then never done nor undone any more
    Skip(AnswerArgs),
    /// List the messages that nobody could handle
    DeadLetters(DeadLetterArgs),
    /// Cancel an order for its customer
    Cancel(OrderArgs),
    /// Settle a saga whose execution died, as the rescue function does
    Settle {
        #[command(flatten)]
        saga_id: SagaIdArgs,
        /// Which saga, when more than one of this id died
        #[arg(long, value_name = "NAME")]
        saga: Option<String>,
    },
}

#[derive(Debug, Args)]
struct SagaIdArgs {
    /// The saga id: of an order, the order's
    #[arg(value_parser = parse_saga_id)]
    id: String,
}

#[derive(Debug, Args)]
struct OrderArgs {
    /// The order's id
    #[arg(value_parser = parse_saga_id)]
    order: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only sagas in this state; may be repeated
    #[arg(long = "state", value_name = "STATE", value_parser = state_parser())]
    states: Vec<State>,
    /// Only this saga [default: all]
    #[arg(long, value_name = "NAME")]
    saga: Option<String>,
    /// The most rows
    #[arg(long, default_value_t = 50, value_parser = parse_limit)]
    limit: usize,
    /// Go on where the list before this one ended
    #[arg(long, value_name = "TOKEN")]
    next: Option<String>,
}

#[derive(Debug, Args)]
struct AnswerArgs {
    #[command(flatten)]
    saga_id: SagaIdArgs,
    /// What is answered, when more than one thing of it waits: `undo order`, for example
    #[arg(long)]
    what: Option<String>,
    /// Only this one of the steps that could not be done; may be repeated [default: all]
    #[arg(long = "step", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    steps: Vec<String>,
    /// Why; it is recorded
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Who decides; it is recorded [default: the caller of AWS]
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
}

#[derive(Debug, Args)]
struct DeadLetterArgs {
    /// Only those of this function, or of this queue of what was refused, `refused-orders` for example [default: all]
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// The most messages of each queue
    #[arg(long, default_value_t = 100, value_parser = parse_limit, conflicts_with = "redrive")]
    limit: usize,
    /// Send them back to the queues they come from
    #[arg(long)]
    redrive: bool,
}

/// What a verb has to say, both ways.
struct Said {
    text: String,
    json: Result<serde_json::Value, serde_json::Error>,
}

impl Said {
    fn new<T: Serialize>(result: &T, text: impl FnOnce(&T) -> String) -> Self {
        Self { text: text(result), json: serde_json::to_value(result) }
    }
}

pub(crate) fn run(args: OpsArgs) -> anyhow::Result<ExitCode> {
    let OpsArgs { verb, target, json } = args;
    let target = aws::target(target);
    let done = aws::until_interrupted(async {
        let operations = Operations::open(&target, None).await?;
        carry_out(&operations, verb).await
    })?;
    match done {
        Some(Ok(said)) if json => {
            let json = said.json.context("the result is not JSON")?;
            output::line(format_args!("{json:#}"));
            Ok(ExitCode::SUCCESS)
        }
        Some(Ok(said)) => {
            output::line(said.text);
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => {
            let code = exit_code(error.kind());
            eprintln!("error: {:#}", anyhow::Error::from(error));
            Ok(ExitCode::from(code))
        }
        None => Ok(ExitCode::from(130)),
    }
}

async fn carry_out(operations: &Operations, verb: Verb) -> Result<Said, OpsError> {
    Ok(match verb {
        Verb::List(ListArgs { states, saga, limit, next }) => {
            let options = ListOptions { states, saga, limit, next };
            Said::new(&operations.list(&options).await?, text::listing)
        }
        Verb::Show(SagaIdArgs { id }) => Said::new(&operations.show(&id).await?, text::story),
        Verb::Parked { decisions } => Said::new(&operations.parked(decisions).await?, text::parked),
        Verb::Retry(args) => answer(operations, args, Action::Retry).await?,
        Verb::Skip(args) => answer(operations, args, Action::Skip).await?,
        Verb::DeadLetters(DeadLetterArgs { queue, redrive: true, .. }) => {
            let redriven = operations.redrive(queue.as_deref()).await?;
            Said { text: text::redriven(&redriven), json: Ok(json!({ "redriven": redriven })) }
        }
        Verb::DeadLetters(DeadLetterArgs { queue, limit, .. }) => {
            Said::new(&operations.dead_letters(queue.as_deref(), limit).await?, text::dead_letters)
        }
        Verb::Cancel(OrderArgs { order }) => Said::new(&operations.cancel(&order).await?, text::cancelled),
        Verb::Settle { saga_id, saga } => {
            Said::new(&operations.settle(&saga_id.id, saga.as_deref()).await?, text::settling)
        }
    })
}

async fn answer(operations: &Operations, args: AnswerArgs, action: Action) -> Result<Said, OpsError> {
    let AnswerArgs { saga_id: SagaIdArgs { id }, what, steps, reason, by } = args;
    let answer = Answer { id, action, what, steps, reason, by };
    Ok(Said::new(&operations.answer(&answer).await?, text::answered))
}

/// As [`EXIT_CODES`] says.
fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Failure => 1,
        ErrorKind::Usage => 2,
        ErrorKind::NotFound => 3,
        ErrorKind::Refused => 4,
    }
}

fn state_parser() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::name)).try_map(|name| name.parse::<State>())
}

fn parse_saga_id(id: &str) -> Result<String, String> {
    SagaId::try_from(id.to_owned()).map(String::from).map_err(|error| error.to_string())
}

fn parse_limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if (1..=10_000).contains(&limit) => Ok(limit),
        _ => Err("1 to 10000 are allowed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::{Cli, Command};
    use super::*;
    use clap::Parser;

    fn parse(line: &str) -> Result<OpsArgs, String> {
        match Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?.command {
            Some(Command::Ops(args)) => Ok(args),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_target_and_json_may_stand_anywhere() {
        for line in [
            "infra-gen ops list --stage prod --json --state parked --state failed --limit 5",
            "infra-gen ops --stage prod --json list --state parked --state failed --limit 5",
        ] {
            let args = parse(line).unwrap();
            assert!(args.json && args.target.stage == stacks::Stage::Prod, "{line}");
            let Verb::List(list) = args.verb else { panic!("{line}") };
            assert_eq!((list.states, list.limit), (vec![State::Parked, State::Failed], 5));
        }
    }

    #[test]
    fn steps_are_named_one_by_one() {
        let line = "infra-gen ops skip o-1 --step charge-payment --step reserve-stock --reason refunded";
        let Verb::Skip(AnswerArgs { steps, .. }) = parse(line).unwrap().verb else { panic!("{line}") };
        assert_eq!(steps, ["charge-payment", "reserve-stock"]);
    }

    #[test]
    fn wrong_values_are_refused_with_the_right_ones() {
        for (line, said) in [
            ("infra-gen ops list --state asleep", "[possible values: running, parked, committed,"),
            ("infra-gen ops list --limit 0", "1 to 10000 are allowed"),
            ("infra-gen ops show o.1", "is not a saga id"),
            ("infra-gen ops retry o-1", "--reason <REASON>"),
            ("infra-gen ops dead-letters --redrive --limit 5", "cannot be used with"),
            ("infra-gen ops sleep", "unrecognized subcommand 'sleep'"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(said), "{line} said: {error}");
        }
    }

    #[test]
    fn scripts_can_tell_errors_apart() {
        let kinds = [ErrorKind::Failure, ErrorKind::Usage, ErrorKind::NotFound, ErrorKind::Refused];
        assert_eq!(kinds.map(exit_code), [1, 2, 3, 4]);
    }
}
