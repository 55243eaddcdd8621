//! What must hold of a state machine, and what no public tool finds: they look at the shape of states, not at what the
//! states say to each other.
//!
//! [`compile`](super::compile()) never emits a machine that does not hold; a machine that was changed by hand is refused
//! by [`StateMachine::check`] with the state and what is wrong with it.

use super::state::{Catch, Choice, Retry, State, StateMachine, States, Transition};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Step Functions' own errors that a state may name:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>
const STATES_ERRORS: &[&str] =
    &["States.ALL", "States.TaskFailed", "States.Timeout", "States.QueryEvaluationError"];

const ALL: &str = "States.ALL";

const TOKEN: &str = "$states.context.Task.Token";

/// Why a state machine would not do what it seems to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// A state goes nowhere.
    #[error("state `{state}` goes to `{to}`, but there is no such state: name one of the states beside it")]
    NoSuchState {
        /// The state; `StartAt` for the beginning.
        state: String,
        /// Where it goes.
        to: String,
    },
    /// No way leads to a state.
    #[error("no way leads to state `{state}`: remove it, or let another state go there")]
    Unreachable {
        /// The state.
        state: String,
    },
    /// A task waits for an answer that nobody can give.
    #[error(
        "task `{state}` waits for its token, but does not send it: put `{{% {TOKEN} %}}` into its arguments, or nobody can answer"
    )]
    TokenNotSent {
        /// The task.
        state: String,
    },
    /// A task sends a token that is not there.
    #[error("task `{state}` sends a task token, but does not wait for it: there is none to send")]
    TokenWithoutWait {
        /// The task.
        state: String,
    },
    /// A retrier or catcher is for no error.
    #[error("a {kind} of state `{state}` names no error: name those it is for")]
    NoErrors {
        /// The state.
        state: String,
        /// `Retry` or `Catch`.
        kind: &'static str,
    },
    /// What is for all errors hides what stands behind it, or stands with others.
    #[error(
        "a {kind} of state `{state}` for `{ALL}` is not the last, or names other errors too: it must be the last, alone"
    )]
    AllNotLast {
        /// The state.
        state: String,
        /// `Retry` or `Catch`.
        kind: &'static str,
    },
    /// There is no such error.
    #[error(
        "a {kind} of state `{state}` is for `{error}`, which Step Functions does not raise: it raises {STATES_ERRORS:?}"
    )]
    NoSuchError {
        /// The state.
        state: String,
        /// `Retry` or `Catch`.
        kind: &'static str,
        /// The error named.
        error: String,
    },
    /// A variable is used that is not set on every way.
    #[error("state `{state}` uses `${variable}`, which is not set on every way to it: assign it before")]
    UnsetVariable {
        /// The state.
        state: String,
        /// The variable, without `$`.
        variable: String,
    },
}

impl StateMachine {
    /// Whether every way leads to a state and every state can be reached, who waits for a token sends it, what is for all
    /// errors stands last, and every variable is set on all ways before it is used.
    ///
    /// # Errors
    /// Names the first state that is wrong, and what is wrong with it.
    pub fn check(&self) -> Result<(), MachineError> {
        check_scope(&self.start_at, &self.states, &BTreeSet::new())
    }
}

/// Checks the states of a machine or of a branch. `outer`: the variables that are set around it.
fn check_scope(start: &str, states: &States, outer: &BTreeSet<String>) -> Result<(), MachineError> {
    let all: BTreeMap<&str, &State> = states.0.iter().map(|(name, state)| (name.as_str(), state)).collect();
    if !all.contains_key(start) {
        return Err(MachineError::NoSuchState { state: "StartAt".into(), to: start.into() });
    }
    for (name, state) in &all {
        check_state(name, state)?;
        if let Some(way) = ways(state).iter().find(|way| !all.contains_key(way.to)) {
            return Err(MachineError::NoSuchState { state: (*name).into(), to: way.to.into() });
        }
    }
    let set = set_before(start, &all, outer);
    for (name, state) in &states.0 {
        let Some(set) = set.get(name.as_str()) else {
            return Err(MachineError::Unreachable { state: name.clone() });
        };
        if let Some(variable) = used(state).into_iter().find(|variable| !set.contains(variable)) {
            return Err(MachineError::UnsetVariable { state: name.clone(), variable });
        }
        if let State::Parallel(parallel) = state {
            for branch in &parallel.branches {
                check_scope(&branch.start_at, &branch.states, set)?;
            }
        }
    }
    Ok(())
}

fn check_state(name: &str, state: &State) -> Result<(), MachineError> {
    if let State::Task(task) = state {
        let sends = expressions(&task.arguments).iter().any(|expression| expression.contains(TOKEN));
        match (task.resource.waits_for_token(), sends) {
            (true, false) => return Err(MachineError::TokenNotSent { state: name.into() }),
            (false, true) => return Err(MachineError::TokenWithoutWait { state: name.into() }),
            _ => {}
        }
    }
    let (retry, catch) = handlers(state);
    check_errors(
        name,
        "Retry",
        &retry.iter().map(|retry| retry.error_equals.as_slice()).collect::<Vec<_>>(),
    )?;
    check_errors(name, "Catch", &catch.iter().map(|catch| catch.error_equals.as_slice()).collect::<Vec<_>>())
}

fn check_errors(state: &str, kind: &'static str, all: &[&[String]]) -> Result<(), MachineError> {
    let state = || state.to_owned();
    for (place, errors) in all.iter().enumerate() {
        if errors.is_empty() {
            return Err(MachineError::NoErrors { state: state(), kind });
        }
        let last_and_alone = place + 1 == all.len() && errors.len() == 1;
        if errors.iter().any(|error| error == ALL) && !last_and_alone {
            return Err(MachineError::AllNotLast { state: state(), kind });
        }
        let unknown =
            |error: &&String| error.starts_with("States.") && !STATES_ERRORS.contains(&error.as_str());
        if let Some(error) = errors.iter().find(unknown) {
            return Err(MachineError::NoSuchError { state: state(), kind, error: error.clone() });
        }
    }
    Ok(())
}

/// The way from one state to another, with the variables that are assigned on it.
struct Way<'a> {
    to: &'a str,
    assign: &'a BTreeMap<String, Json>,
}

fn ways(state: &State) -> Vec<Way<'_>> {
    static NOTHING: BTreeMap<String, Json> = BTreeMap::new();
    let (transition, assign) = match state {
        State::Task(task) => (Some(&task.transition), &task.assign),
        State::Parallel(parallel) => (Some(&parallel.transition), &NOTHING),
        State::Pass(pass) => (Some(&pass.transition), &pass.assign),
        State::Choice(_) => (None, &NOTHING),
    };
    let mut ways = Vec::new();
    if let Some(Transition::Next(to)) = transition {
        ways.push(Way { to, assign });
    }
    if let State::Choice(Choice { choices, assign, default }) = state {
        ways.extend(choices.iter().map(|rule| Way { to: &rule.next, assign: &rule.assign }));
        ways.push(Way { to: default, assign });
    }
    let (_, catch) = handlers(state);
    ways.extend(catch.iter().map(|catch| Way { to: &catch.next, assign: &catch.assign }));
    ways
}

fn handlers(state: &State) -> (&[Retry], &[Catch]) {
    match state {
        State::Task(task) => (&task.retry, &task.catch),
        State::Parallel(parallel) => (&[], &parallel.catch),
        State::Choice(_) | State::Pass(_) => (&[], &[]),
    }
}

/// The variables that are set for certain when a state is entered, for each state that can be.
fn set_before<'a>(
    start: &'a str,
    all: &BTreeMap<&'a str, &'a State>,
    outer: &BTreeSet<String>,
) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut set = BTreeMap::from([(start, outer.clone())]);
    let mut open = vec![start];
    while let Some(name) = open.pop() {
        for way in all.get(name).map(|state| ways(state)).unwrap_or_default() {
            let after: BTreeSet<String> = set[name].iter().chain(way.assign.keys()).cloned().collect();
            let merged = match set.get(way.to) {
                Some(before) => before.intersection(&after).cloned().collect(),
                None => after,
            };
            if set.get(way.to) != Some(&merged) {
                set.insert(way.to, merged);
                open.push(way.to);
            }
        }
    }
    set
}

/// The variables that a state itself needs, those of its branches not among them.
fn used(state: &State) -> BTreeSet<String> {
    let mut all = Vec::new();
    let mut of = |json: &Json| all.extend(expressions(json));
    match state {
        State::Task(task) => {
            of(&task.arguments);
            task.assign.values().for_each(&mut of);
        }
        State::Parallel(_) => {}
        State::Pass(pass) => {
            of(&pass.output);
            pass.assign.values().for_each(&mut of);
        }
        State::Choice(choice) => {
            choice.assign.values().for_each(&mut of);
            for rule in &choice.choices {
                of(&Json::String(rule.condition.clone()));
                rule.assign.values().for_each(&mut of);
            }
        }
    }
    for catch in handlers(state).1 {
        catch.assign.values().for_each(&mut of);
    }
    all.iter().flat_map(|expression| variables(expression)).collect()
}

/// Every JSONata expression in a value.
fn expressions(json: &Json) -> Vec<String> {
    match json {
        Json::String(text) => {
            let inner = text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
            inner.map(str::to_owned).into_iter().collect()
        }
        Json::Array(values) => values.iter().flat_map(expressions).collect(),
        Json::Object(members) => members.values().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// The variables that an expression needs: without `$states`, functions, and what it asks for with `$exists`.
fn variables(expression: &str) -> BTreeSet<String> {
    let mut variables = BTreeSet::new();
    for part in expression.split('$').skip(1) {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let asked = expression.contains(&format!("$exists(${name})"));
        if name != "states" && !rest.starts_with('(') && !asked {
            variables.insert(name.to_owned());
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_an_expression_are_found() {
        let found =
            variables(" $exists($states.result.error) ? {'a': $room.nights} : $merge([$unresolved, $seat]) ");
        assert_eq!(found, ["room", "seat", "unresolved"].map(String::from).into());
        assert!(variables("$exists($reason) ? $string($reason) : 'none'").is_empty());
    }
}
