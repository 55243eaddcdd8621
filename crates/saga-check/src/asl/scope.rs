//! Going through the states of one scope, up to the next one that waits.

use super::{
    definition::{Handlers, Next, Parallel, Resource, Rule, Scope, State, Task},
    expression::Bindings,
    run::{Effect, Execution},
    template::Template,
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, sync::Arc};

/// The moment of everything: no property depends on time.
const MOMENT: &str = "2026-01-01T00:00:00.000Z";

/// The variables of a scope. Most of what one moment has is what the one before had.
pub(super) type Variables = BTreeMap<Arc<str>, Arc<Json>>;

/// How it went.
#[derive(Debug)]
pub(super) enum Flow {
    /// A task waits for an answer, or branches wait for theirs.
    Waits(At),
    /// The end, with this output.
    Ends(Json),
    /// An error that nothing catches.
    Fails(Trouble),
}

/// Where a scope waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) state: String,
    /// How often each retrier was used.
    pub(super) retries: Vec<u32>,
}

/// An error on its way to a catcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) error: String,
    pub(super) cause: String,
    /// As if every retry had been made and had failed the same way.
    pub(super) used_up: bool,
}

impl Trouble {
    fn evaluation(cause: String) -> Self {
        Self { error: "States.QueryEvaluationError".into(), cause, used_up: true }
    }

    /// What could not be evaluated, if that is the trouble.
    pub(super) fn unevaluated(&self) -> Option<&str> {
        (self.error == "States.QueryEvaluationError").then_some(&self.cause)
    }
}

/// One walk through a scope.
pub(super) struct Walk<'a> {
    pub(super) scope: &'a Scope,
    pub(super) execution: &'a Execution,
    /// How often it was redriven.
    pub(super) redrives: u32,
    /// The variables around the scope, which it can read and not set.
    pub(super) outer: Option<&'a Variables>,
    /// 0 for a machine, from 1 for the branches.
    pub(super) branch: u8,
    /// The most retries of one retrier.
    pub(super) most_retries: u32,
    pub(super) trace: &'a mut Trace,
}

/// What a walk does to the world, and which of its integrations fails.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) effects: Vec<Effect>,
    /// Integrations that could have failed, so far.
    pub(super) integrations: usize,
    /// Which of them fails, with its retries.
    pub(super) failing: Option<usize>,
    pub(super) failed: Option<String>,
    /// The states that were entered.
    pub(super) entered: Vec<String>,
    /// The state that something happens to.
    pub(super) at: String,
    /// What the next state is given, where a `Pass` may read it: the result of a task or of a parallel state, or an error.
    pub(super) input: Option<Json>,
    /// What could not be evaluated.
    pub(super) unevaluated: Option<String>,
}

impl Trace {
    pub(super) fn note(&mut self, trouble: &Trouble) {
        if let (Some(why), None) = (trouble.unevaluated(), &self.unevaluated) {
            self.unevaluated = Some(format!("the state `{}` cannot be evaluated: {why}", self.at));
        }
    }
}

impl Walk<'_> {
    pub(super) fn enter(&mut self, name: &str, variables: &mut Variables) -> Flow {
        self.enter_again(At { state: name.to_owned(), retries: Vec::new() }, variables)
    }

    fn enter_again(&mut self, at: At, variables: &mut Variables) -> Flow {
        self.trace.entered.push(at.state.clone());
        self.trace.at.clone_from(&at.state);
        let Some(state) = self.scope.states.get(&at.state) else {
            // Every target was looked up when the machine was read.
            return Flow::Fails(Trouble::evaluation(format!("there is no state `{}`", at.state)));
        };
        match state {
            State::Task(task) => self.task(task, at, variables),
            State::Choice { rules, default } => self.choose(rules, default.as_ref(), &at.state, variables),
            State::Pass { output, next } => self.pass(output.as_ref(), next, &at.state, variables),
            State::Wait { next } => self.go(next, &at.state, variables, &json!({}), json!({})),
            State::Parallel(_) => Flow::Waits(at),
            State::Succeed { output } => match output {
                Some(output) => match self.value(output, variables, &at.state, None) {
                    Ok(output) => Flow::Ends(output),
                    Err(why) => Flow::Fails(Trouble::evaluation(why)),
                },
                None => Flow::Ends(json!({})),
            },
            State::Fail { error, cause } => {
                let text = |json: Json| json.as_str().unwrap_or_default().to_owned();
                let error = self.value(error, variables, &at.state, None).map(text);
                let cause = self.value(cause, variables, &at.state, None).map(text);
                match (error, cause) {
                    (Ok(error), Ok(cause)) => Flow::Fails(Trouble { error, cause, used_up: true }),
                    (Err(why), _) | (_, Err(why)) => Flow::Fails(Trouble::evaluation(why)),
                }
            }
        }
    }

    fn task(&mut self, task: &Task, at: At, variables: &mut Variables) -> Flow {
        let arguments = match self.value(&task.arguments, variables, &at.state, None) {
            Ok(arguments) => arguments,
            Err(why) => return self.caught(&task.handlers, at, Trouble::evaluation(why), variables),
        };
        if task.resource != Resource::Send && self.integration_fails(&at.state) {
            if task.resource == Resource::Publish {
                self.trace.effects.push(Effect::Unpublished { arguments });
            }
            let cause = "the service did not take it".into();
            let trouble = Trouble { error: "States.TaskFailed".into(), cause, used_up: true };
            return self.caught(&task.handlers, at, trouble, variables);
        }
        let branch = self.branch;
        let effect = match task.resource {
            Resource::Send => Effect::Send { branch, arguments },
            Resource::Park => Effect::Park { branch, arguments },
            Resource::Publish => Effect::Publish { arguments },
            Resource::PutItem => Effect::PutItem { arguments },
            Resource::UpdateItem => Effect::UpdateItem { arguments },
            Resource::DeleteItem => Effect::DeleteItem { arguments },
        };
        self.trace.effects.push(effect);
        if matches!(task.resource, Resource::Send | Resource::Park) {
            return Flow::Waits(at);
        }
        self.succeed(task, at, json!({}), variables)
    }

    fn integration_fails(&mut self, state: &str) -> bool {
        let place = self.trace.integrations;
        self.trace.integrations += 1;
        let fails = self.trace.failing == Some(place);
        if fails {
            self.trace.failed = Some(state.to_owned());
        }
        fails
    }

    /// A task was answered.
    pub(super) fn succeed(&mut self, task: &Task, at: At, result: Json, variables: &mut Variables) -> Flow {
        let states = json!({ "result": result });
        let output = match &task.output {
            Some(output) => match self.value(output, variables, &at.state, Some(&states)) {
                Ok(output) => output,
                Err(why) => return self.caught(&task.handlers, at, Trouble::evaluation(why), variables),
            },
            None => result,
        };
        self.trace.input = Some(output.clone());
        self.go(&task.next, &at.state, variables, &states, output)
    }

    /// Every branch of a parallel state has ended.
    pub(super) fn join(
        &mut self,
        parallel: &Parallel,
        state: &str,
        results: Vec<Json>,
        variables: &mut Variables,
    ) -> Flow {
        let states = json!({ "result": results });
        let output = match &parallel.output {
            Some(output) => match self.value(output, variables, state, Some(&states)) {
                Ok(output) => output,
                Err(why) => return Flow::Fails(Trouble::evaluation(why)),
            },
            None => Json::Array(results),
        };
        self.trace.input = Some(output.clone());
        self.go(&parallel.next, state, variables, &states, output)
    }

    /// An error came: it is tried again, caught, or the end.
    pub(super) fn caught(
        &mut self,
        handlers: &Handlers,
        mut at: At,
        trouble: Trouble,
        variables: &mut Variables,
    ) -> Flow {
        self.trace.note(&trouble);
        let retrier = handlers.retry.iter().position(|retrier| matches(&retrier.errors, &trouble.error));
        if let (Some(place), false) = (retrier, trouble.used_up) {
            at.retries.resize(handlers.retry.len(), 0);
            if at.retries[place] < handlers.retry[place].max_attempts.min(self.most_retries) {
                at.retries[place] += 1;
                return self.enter_again(at, variables);
            }
        }
        let catcher = handlers.catch.iter().find(|catcher| matches(&catcher.errors, &trouble.error));
        let Some(catcher) = catcher else { return Flow::Fails(trouble) };
        let error = json!({ "Error": trouble.error, "Cause": trouble.cause });
        let states = json!({ "errorOutput": error });
        self.trace.input = Some(error.clone());
        self.go(&catcher.next, &at.state, variables, &states, error)
    }

    fn choose(
        &mut self,
        rules: &[Rule],
        default: Option<&Next>,
        state: &str,
        variables: &mut Variables,
    ) -> Flow {
        // The input of a choice goes through it, and is not kept for that.
        self.trace.input = None;
        for rule in rules {
            match self.value(&rule.condition, variables, state, None) {
                Ok(Json::Bool(true)) => {
                    return self.go(&rule.next, state, variables, &json!({}), json!({}));
                }
                Ok(Json::Bool(false)) => {}
                Ok(other) => {
                    return Flow::Fails(Trouble::evaluation(format!("a condition is `{other}`")));
                }
                Err(why) => return Flow::Fails(Trouble::evaluation(why)),
            }
        }
        match default {
            Some(next) => self.go(next, state, variables, &json!({}), json!({})),
            None => Flow::Fails(Trouble {
                error: "States.NoChoiceMatched".into(),
                cause: format!("no rule of `{state}` matches"),
                used_up: true,
            }),
        }
    }

    fn pass(
        &mut self,
        output: Option<&Template>,
        next: &Next,
        state: &str,
        variables: &mut Variables,
    ) -> Flow {
        let states = self.trace.input.take().map_or_else(|| json!({}), |input| json!({ "input": input }));
        match output.map(|output| self.value(output, variables, state, None)).transpose() {
            Ok(output) => self.go(next, state, variables, &states, output.unwrap_or_else(|| json!({}))),
            Err(why) => Flow::Fails(Trouble::evaluation(why)),
        }
    }

    /// Sets the variables, all from what they were before, and goes on.
    fn go(
        &mut self,
        next: &Next,
        state: &str,
        variables: &mut Variables,
        states: &Json,
        output: Json,
    ) -> Flow {
        let mut assigned = Vec::new();
        for (name, template) in &next.assign {
            match self.value(template, variables, state, Some(states)) {
                Ok(value) => assigned.push((name.clone(), Arc::new(value))),
                Err(why) => return Flow::Fails(Trouble::evaluation(why)),
            }
        }
        variables.extend(assigned);
        match &next.state {
            Some(next) => self.enter(next, variables),
            None => Flow::Ends(output),
        }
    }

    fn value(
        &self,
        template: &Template,
        variables: &Variables,
        state: &str,
        more: Option<&Json>,
    ) -> Result<Json, String> {
        let mut states = more.cloned().unwrap_or_else(|| json!({}));
        states["context"] = json!({
            "Execution": {
                "Id": self.execution.arn(),
                "Name": self.execution.name,
                "Input": self.execution.input,
                "StartTime": MOMENT,
                "RedriveCount": self.redrives,
            },
            "State": { "Name": state, "EnteredTime": MOMENT },
            "Task": { "Token": self.execution.token(self.branch) },
        });
        let variables = self.outer.into_iter().chain([variables]).flatten();
        let mut bindings: Bindings<'_> = variables.map(|(name, value)| (&**name, &**value)).collect();
        bindings.insert("states", &states);
        template.evaluate(&bindings)
    }
}

/// Whether an error is among those named, by the rules of
/// [AWS](https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
fn matches(names: &[String], error: &str) -> bool {
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => !matches!(error, "States.DataLimitExceeded" | "States.Runtime"),
        "States.TaskFailed" => error != "States.Timeout",
        name => name == error,
    })
}
