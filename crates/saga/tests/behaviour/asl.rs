//! The emitted state machine: a whole one to be looked at, and what must hold for every one.

use crate::{
    flow::{Machine, expressions, list, text},
    trip::trip_saga,
};
use saga::{Definition, Stage, asl, budget::Timing};
use serde_json::{Value as Json, json};

fn emit(definition: &Definition, scale: u32) -> Json {
    json!(asl::compile(definition, Timing::scaled(scale)).unwrap())
}

/// The trip; the trip one step after another; a saga that is nothing but a pivot; and a trip that nobody is told of, so
/// that nothing needs what its last step produces.
fn sagas() -> Vec<Definition> {
    let trip = trip_saga().definition().clone();
    let steps = trip.compensable_steps().cloned().map(Stage::Step).collect();
    let mut chain = Definition { name: "chain", stages: steps, ..trip.clone() };
    chain.finish.clear();
    chain.on_commit.clear();
    let mut pivot = trip.pivot.clone();
    pivot.inputs = &["trip"];
    let (stages, finish, on_compensate) = (Vec::new(), Vec::new(), Vec::new());
    let on_commit = Vec::new();
    let alone = Definition { name: "alone", pivot, stages, finish, on_commit, on_compensate, ..trip.clone() };
    let quiet = Definition { name: "quiet", on_commit: Vec::new(), ..trip.clone() };
    vec![trip, chain, alone, quiet]
}

fn machines() -> Vec<(Definition, Machine, Json)> {
    let emitted = sagas().into_iter().map(|saga| (emit(&saga, 1), saga));
    emitted.map(|(json, saga)| (saga, Machine::read(&json), json)).collect()
}

/// Every task, with its name, also those in branches.
fn tasks(json: &Json) -> Vec<(String, Json)> {
    let mut tasks = Vec::new();
    for (name, state) in json["States"].as_object().unwrap() {
        if state["Type"] == "Task" {
            tasks.push((name.clone(), state.clone()));
        }
        for branch in list(&state["Branches"]) {
            tasks.extend(self::tasks(branch));
        }
    }
    tasks
}

#[test]
fn the_whole_machine() {
    let machine = asl::compile(trip_saga().definition(), Timing::scaled(1)).unwrap();
    insta::assert_snapshot!("trip_machine", serde_json::to_string_pretty(&machine).unwrap());
}

#[test]
fn the_same_saga_gives_the_same_bytes() {
    let bytes =
        || serde_json::to_vec(&asl::compile(trip_saga().definition(), Timing::scaled(1)).unwrap()).unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_scale_changes_numbers_and_nothing_else() {
    fn without_numbers(json: Json) -> Json {
        match json {
            Json::Number(_) => Json::Null,
            Json::Array(values) => values.into_iter().map(without_numbers).collect(),
            Json::Object(mut members) => {
                // Left out where rounding makes it equal to the interval.
                members.remove("MaxDelaySeconds");
                members.into_iter().map(|(name, value)| (name, without_numbers(value))).collect()
            }
            other => other,
        }
    }
    let trip = trip_saga();
    let production = without_numbers(emit(trip.definition(), 1));
    for scale in 2..=60 {
        assert_eq!(without_numbers(emit(trip.definition(), scale)), production, "scale {scale}");
    }
}

#[test]
fn every_way_leads_to_a_state_and_every_state_can_be_reached() {
    for (saga, machine, _) in machines() {
        for name in machine.states.keys() {
            assert!(name.len() <= 80, "{name} is longer than a state's name can be");
            for way in machine.ways(name) {
                assert!(
                    machine.states.contains_key(&way.to),
                    "{}: {name} goes to nowhere: {}",
                    saga.name,
                    way.to
                );
            }
            let ends = machine.states[name]["End"] == json!(true);
            assert_eq!(ends, machine.ways(name).is_empty(), "{}: {name} ends, or goes on", saga.name);
        }
        let reachable = machine.reachable(&machine.start);
        let all: std::collections::BTreeSet<String> = machine.states.keys().cloned().collect();
        assert_eq!(reachable, all, "{}", saga.name);
    }
}

/// Why the trip's machine is refused once it is changed like this.
fn refused(change: impl FnOnce(&mut asl::StateMachine)) -> String {
    let mut machine = asl::compile(trip_saga().definition(), Timing::scaled(1)).unwrap();
    assert_eq!(machine.check(), Ok(()));
    change(&mut machine);
    machine.check().unwrap_err().to_string()
}

fn task<'m>(machine: &'m mut asl::StateMachine, name: &str) -> &'m mut asl::Task {
    let state = machine.states.0.iter_mut().find(|(state, _)| state == name);
    match state {
        Some((_, asl::State::Task(task))) => task,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_machine_that_would_not_do_what_it_says_is_refused() {
    let silent =
        refused(|machine| task(machine, "charge-card").arguments["MessageBody"]["token"] = json!("t"));
    insta::assert_snapshot!(silent, @"task `charge-card` waits for its token, but does not send it: put `{% $states.context.Task.Token %}` into its arguments, or nobody can answer");
    let deaf = refused(|machine| task(machine, "charge-card").resource = asl::Integration::Publish);
    insta::assert_snapshot!(deaf, @"task `charge-card` sends a task token, but does not wait for it: there is none to send");
    let unset = refused(|machine| task(machine, "issue-tickets").assign.clear());
    insta::assert_snapshot!(unset, @"state `send-itinerary` uses `$tickets`, which is not set on every way to it: assign it before");
    let hidden = refused(|machine| task(machine, "charge-card").catch.reverse());
    insta::assert_snapshot!(hidden, @"a Catch of state `charge-card` for `States.ALL` is not the last, or names other errors too: it must be the last, alone");
    let crowd = refused(|machine| {
        task(machine, "charge-card").retry[1].error_equals = vec!["States.ALL".into(), "Other".into()];
    });
    insta::assert_snapshot!(crowd, @"a Retry of state `charge-card` for `States.ALL` is not the last, or names other errors too: it must be the last, alone");
    let misspelt = refused(|machine| {
        task(machine, "charge-card").retry[1].error_equals = vec!["States.TaskFail".into()];
    });
    insta::assert_snapshot!(misspelt, @r#"a Retry of state `charge-card` is for `States.TaskFail`, which Step Functions does not raise: it raises ["States.ALL", "States.TaskFailed", "States.Timeout", "States.QueryEvaluationError"]"#);
    let nothing = refused(|machine| task(machine, "charge-card").catch[0].error_equals.clear());
    insta::assert_snapshot!(nothing, @"a Catch of state `charge-card` names no error: name those it is for");
    let nowhere = refused(|machine| {
        task(machine, "charge-card").transition = asl::Transition::to("issue-ticket");
    });
    insta::assert_snapshot!(nowhere, @"state `charge-card` goes to `issue-ticket`, but there is no such state: name one of the states beside it");
    let late = refused(|machine| machine.start_at = "charge-card".into());
    insta::assert_snapshot!(late, @"no way leads to state `settling?`: remove it, or let another state go there");
    let begun = refused(|machine| machine.start_at = "begin".into());
    insta::assert_snapshot!(begun, @"state `StartAt` goes to `begin`, but there is no such state: name one of the states beside it");
}

#[test]
fn a_branch_is_checked_like_a_machine() {
    let silent = refused(|machine| {
        let group = machine.states.0.iter_mut().find_map(|(_, state)| match state {
            asl::State::Parallel(parallel) => Some(parallel),
            _ => None,
        });
        let (_, state) = &mut group.unwrap().branches[0].states.0[0];
        let asl::State::Task(task) = state else { panic!("{state:?}") };
        task.arguments["MessageBody"]["token"] = json!("{% $token %}");
    });
    insta::assert_snapshot!(silent, @"task `book-hotel` waits for its token, but does not send it: put `{% $states.context.Task.Token %}` into its arguments, or nobody can answer");
}

#[test]
fn catchers_and_retriers_are_well_formed() {
    for (saga, machine, json) in machines() {
        for (name, state) in
            machine.states.iter().map(|(name, state)| (name.clone(), state.clone())).chain(tasks(&json))
        {
            for kind in ["Catch", "Retry"] {
                let errors: Vec<Vec<String>> = list(&state[kind])
                    .iter()
                    .map(|each| list(&each["ErrorEquals"]).iter().map(text).collect())
                    .collect();
                for (place, errors_of_one) in errors.iter().enumerate() {
                    let catches_all = errors_of_one.iter().any(|error| error == "States.ALL");
                    let last_and_alone = place + 1 == errors.len() && errors_of_one.len() == 1;
                    assert!(!catches_all || last_and_alone, "{}: {kind} of {name}: {errors:?}", saga.name);
                    assert!(!errors_of_one.is_empty(), "{}: {kind} of {name} is for nothing", saga.name);
                }
                for error in errors.iter().flatten().filter(|error| error.starts_with("States.")) {
                    assert!(
                        ["States.ALL", "States.TaskFailed", "States.QueryEvaluationError"]
                            .contains(&error.as_str()),
                        "misspelt: {error}"
                    );
                }
            }
            // What keeps the books is patient for a day, which jitter would halve.
            let keeps_books = ["park ", "decide ", "unpark "].iter().any(|kind| name.starts_with(kind));
            let retries = list(&state["Retry"]);
            let patient =
                retries.iter().filter(|retry| retry["ErrorEquals"] == json!(["States.ALL"])).count();
            assert!(!keeps_books || patient == 1, "{name} does not try again");
            for retry in retries.iter().filter(|retry| retry["MaxAttempts"] != json!(0)) {
                let jitter = if keeps_books { json!(null) } else { json!("FULL") };
                assert_eq!(retry["JitterStrategy"], jitter, "{name}");
                if keeps_books {
                    let number = |name: &str| retry[name].as_u64().unwrap();
                    let waits = (0..number("MaxAttempts")).map(|n| {
                        let wait = number("IntervalSeconds")
                            .saturating_mul(2_u64.saturating_pow(u32::try_from(n).unwrap()));
                        wait.min(number("MaxDelaySeconds"))
                    });
                    assert!(waits.sum::<u64>() >= 24 * 3_600, "{name}: {retry}");
                }
                let (interval, cap) = (&retry["IntervalSeconds"], &retry["MaxDelaySeconds"]);
                assert!(interval.as_u64() >= Some(1), "{name}: {retry}");
                assert!(cap.is_null() || cap.as_u64() > interval.as_u64(), "{name}: {retry}");
            }
        }
    }
}

#[test]
fn who_waits_for_an_answer_sends_its_token_and_has_a_timeout_unless_parked() {
    for (saga, machine, json) in machines() {
        assert!(json["TimeoutSeconds"].is_null(), "{}: it would be killed without compensation", saga.name);
        assert_eq!(json["QueryLanguage"], "JSONata");
        for (name, task) in tasks(&json) {
            let waits = text(&task["Resource"]).ends_with(".waitForTaskToken");
            let sends =
                expressions(&task["Arguments"]).iter().any(|e| e.contains("$states.context.Task.Token"));
            assert_eq!(waits, sends, "{}: {name}", saga.name);
            let parks = name.starts_with("park ");
            assert_eq!(waits && !parks, task["TimeoutSeconds"].is_u64(), "{}: {name}", saga.name);
        }
        assert!(machine.states.contains_key("committed") && machine.states.contains_key("compensated"));
    }
}

#[test]
fn a_rejection_undoes_the_steps_before_it_and_what_is_not_known_the_pivot_decides() {
    for (saga, machine, _) in machines() {
        let mut before: Vec<String> = Vec::new();
        for stage in &saga.stages {
            let names: Vec<&str> = stage.steps().iter().map(|step| step.name).collect();
            let state = names.join(" + ");
            let own: Vec<String> = names.iter().rev().map(|name| format!("undo {name}")).collect();
            let all: Vec<String> = own.iter().chain(&before).cloned().collect();
            // Another execution may have got further, so that the undo of the step itself is not enough.
            for error in
                ["States.Timeout", "Flyover.DeliveriesExhausted", "Flyover.TooLate", "Flyover.Abandoned"]
            {
                let asks = machine.after(&state, Some(error)).unwrap();
                let asks = after_asking_whose(&machine, asks, &saga, before.is_empty());
                assert_eq!(asks, format!("rescue {}", saga.pivot.name), "{state}: {error}");
            }
            let rejections = stage.steps().iter().flat_map(|step| step.rejections);
            for rejection in rejections.chain(&["Flyover.OtherRun"]) {
                let undone = if names.len() == 1 { &before } else { &all };
                assert_eq!(&undos_from(&machine, machine.after(&state, Some(rejection))), undone, "{state}");
            }
            before = all;
        }
        let pivot = saga.pivot.name;
        let settle = format!("settle {pivot}");
        assert_eq!(machine.after(pivot, Some("States.Timeout")), Some(settle.clone()));
        assert_eq!(machine.after(&settle, None).as_deref(), Some("settled?"));
        for rejection in saga.pivot.rejections.iter().chain(&["Flyover.OtherRun"]) {
            assert_eq!(undos_from(&machine, machine.after(pivot, Some(rejection))), before);
        }
        let backward = text(&machine.states["settled?"]["Default"]);
        assert_eq!(undos_from(&machine, Some(backward)), before);
    }
}

#[test]
fn a_settling_execution_asks_the_fence_and_recalls_what_is_needed_or_undoes_everything() {
    for (saga, machine, _) in machines() {
        let rescue = format!("rescue {}", saga.pivot.name);
        let has_stages = !saga.stages.is_empty();
        let [settling, running] = &machine.ways(&machine.start)[..] else { panic!("{}", saga.name) };
        let condition = &machine.states[&machine.start]["Choices"][0]["Condition"];
        assert_eq!(condition, "{% $exists($states.context.Execution.Input.settle) %}");
        assert_eq!(after_asking_whose(&machine, settling.to.clone(), &saga, has_stages), rescue);
        assert_eq!(
            machine.reachable(&running.to).contains(&rescue),
            has_stages,
            "{}: one that begins with its pivot knows how far it is",
            saga.name
        );

        assert_eq!(machine.states[&rescue]["Arguments"]["MessageBody"]["op"], "settle");
        let [forward, backward] = &machine.ways("rescued?")[..] else { panic!("{}", saga.name) };
        let all: Vec<String> = saga.compensable_steps().map(|step| format!("undo {}", step.name)).collect();
        let undone = undos_from(&machine, Some(backward.to.clone()));
        assert_eq!(undone, all.into_iter().rev().collect::<Vec<_>>(), "{}", saga.name);

        let committing = machine.after(saga.pivot.name, None).unwrap();
        let (mut recalled, mut at) = (Vec::new(), forward.to.clone());
        while let Some(step) = at.strip_prefix("recall ") {
            let body = &machine.states[&at]["Arguments"]["MessageBody"];
            assert_eq!((&body["op"], &body["step"]), (&json!("run"), &json!(step)));
            // The pivot is done: nothing may turn the saga back any more.
            assert_eq!(machine.after(&at, Some("States.Timeout")), Some(format!("park {at}")));
            recalled.push(step.to_owned());
            at = machine.after(&at, None).unwrap();
        }
        assert_eq!(at, committing, "{}", saga.name);
        let recalls: Vec<_> = machine.states.keys().filter(|name| name.starts_with("recall ")).collect();
        assert_eq!(recalls.len(), recalled.len(), "{}", saga.name);
    }
}

/// Where an execution goes from a question, once each step of the first stage was asked whose the id is. `asks`: that they
/// are.
fn after_asking_whose(machine: &Machine, from: String, saga: &Definition, asks: bool) -> String {
    let first_steps = saga.stages.first().map_or(&[][..], Stage::steps);
    let first: Vec<String> = first_steps.iter().map(|step| format!("ask {}", step.name)).collect();
    let (mut asked, mut at) = (Vec::new(), from);
    while at.starts_with("ask ") {
        let message = &machine.states[&at]["Arguments"]["MessageBody"];
        assert_eq!((&message["op"], &message["if_absent"]), (&json!("run"), &json!("refuse")), "{at} writes");
        let turned_away = machine.after(&at, Some("Flyover.OtherRun"));
        // Another run has the id, so a step that stands alone was not done; of a group each run can have done a part.
        let group: Vec<String> = first_steps
            .iter()
            .filter(|_| first_steps.len() > 1)
            .map(|step| format!("undo {}", step.name))
            .collect();
        assert_eq!(undos_from(machine, turned_away), group.into_iter().rev().collect::<Vec<_>>());
        let next = machine.after(&at, None).unwrap();
        for error in ["Flyover.FenceGone", "Flyover.TooLate", "Flyover.Abandoned"] {
            assert_eq!(machine.after(&at, Some(error)).as_ref(), Some(&next), "{at}: {error}");
        }
        // Without an answer nothing is decided.
        assert_eq!(machine.after(&at, Some("States.Timeout")), Some(format!("park {at}")));
        asked.push(std::mem::replace(&mut at, next));
    }
    assert_eq!(asked, if asks { first } else { Vec::new() });
    at
}

/// The undos in order, when each is done, or set aside.
fn undos_from(machine: &Machine, from: Option<String>) -> Vec<String> {
    let (mut undos, mut at) = (Vec::new(), from.unwrap());
    while at.starts_with("undo ") {
        let next = machine.after(&at, None).unwrap();
        assert_eq!(
            machine.after(&at, Some("States.Timeout")),
            Some(next.clone()),
            "{at} that fails stops the others"
        );
        undos.push(at);
        at = next;
    }
    if undos.is_empty() {
        assert!(at == "compensated" || at.starts_with("publish "), "{at}");
    } else {
        assert_eq!(at, "all undone?");
    }
    undos
}

#[test]
fn before_the_pivot_all_ends_compensated_or_parked_and_after_it_committed() {
    for (saga, machine, _) in machines() {
        let ends = |from: &str| -> Vec<String> {
            machine
                .reachable(from)
                .into_iter()
                .filter(|name| machine.states[name]["End"] == json!(true))
                .collect()
        };
        for step in saga.compensable_steps() {
            let undo = format!("undo {}", step.name);
            assert_eq!(ends(&undo), ["compensated"]);
            assert!(machine.reachable(&undo).contains("park undo"), "{undo} cannot be parked");
        }
        let committing = machine.after(saga.pivot.name, None).unwrap();
        assert_eq!(ends(&committing), ["committed"]);
        for step in &saga.finish {
            assert_eq!(machine.after(step.name, Some("States.Timeout")), Some(format!("park {}", step.name)));
        }
        for notice in saga.on_commit.iter().chain(&saga.on_compensate) {
            let state = format!("publish {}", notice.name);
            assert_eq!(
                machine.after(&state, None),
                machine.after(&state, Some("States.Timeout")),
                "{state} blocks"
            );
        }
    }
}

#[test]
fn a_parked_saga_goes_on_as_the_operator_says() {
    for (saga, machine, _) in machines() {
        for parked in machine.states.keys().filter(|name| name.starts_with("park ")) {
            let decide = machine.after(parked, None).unwrap();
            assert_eq!(decide, parked.replacen("park", "decide", 1), "the decision is recorded first");
            let unpark = machine.after(&decide, None).unwrap();
            assert_eq!(unpark, parked.replacen("park", "unpark", 1));
            assert_eq!(machine.after(&decide, Some("States.TaskFailed")), Some(unpark.clone()));
            let cleared = |way: &crate::flow::Way| way.assigns.contains("unresolved");
            let what = parked.trim_start_matches("park ");
            let can_skip = &machine.states[parked]["Arguments"]["Item"]["can_skip"]["S"];
            let needless = saga.name == "quiet" && what == "send-itinerary";
            let rescue = what.starts_with("rescue ");
            assert_eq!(can_skip == &json!("yes"), what == "undo" || needless, "{}: {what}", saga.name);
            let decides = can_skip.as_str().unwrap().starts_with("{%");
            assert_eq!(decides, rescue, "only a missing fence can be gone without");
            let ways = machine.ways(&unpark);
            if what == "undo" {
                let last = saga.compensable_steps().last().unwrap().name;
                assert!(ways.iter().all(|way| way.to == format!("answered {last}?") && cleared(way)));
            } else if needless || rescue {
                let resume = machine.after(&unpark, None).unwrap();
                let [skip, again] = &machine.ways(&resume)[..] else { panic!("{resume}") };
                assert!(again.to == what && cleared(again), "{}: {what}", saga.name);
                let turns = if rescue { "turn back " } else { "abandon " };
                assert!(skip.to.starts_with(turns) && !cleared(skip), "{}: {what}", saga.name);
            } else {
                assert!(ways.iter().all(|way| way.to == what && cleared(way)), "{}: {parked}", saga.name);
            }
        }
    }
}

#[test]
fn an_answer_is_looked_at_for_each_undo_alone_in_the_order_of_undos() {
    for (saga, machine, _) in machines() {
        let mut steps: Vec<&str> = saga.compensable_steps().map(|step| step.name).collect();
        steps.reverse();
        for (place, step) in steps.iter().enumerate() {
            let next = steps
                .get(place + 1)
                .map_or_else(|| "all undone?".to_owned(), |next| format!("answered {next}?"));
            let ways: Vec<String> =
                machine.ways(&format!("answered {step}?")).into_iter().map(|way| way.to).collect();
            let (abandon, again) = (format!("abandon {step}"), format!("undo {step} again"));
            assert_eq!(ways, [&next, &next, &abandon, &again].map(Clone::clone), "{}", saga.name);
            for state in [&abandon, &again] {
                for error in [None, Some("States.Timeout")] {
                    assert_eq!(machine.after(state, error).as_ref(), Some(&next), "{}: {state}", saga.name);
                }
            }
            let set = |state: &str, error| {
                let ways = machine.ways(state).into_iter();
                let takes = |way: &crate::flow::Way| way.errors.first().map(String::as_str) == error;
                ways.filter(takes).flat_map(|way| way.assigns).collect::<Vec<_>>()
            };
            assert_eq!(set(&abandon, None), ["skipped"], "what is fenced off shows in the outcome");
            assert_eq!(set(&abandon, Some("States.ALL")), ["unresolved"], "or the saga stays parked");
        }
    }
}

/// A cause is what a handler says, and it may say anything: also what stands before the cause of a skip.
#[test]
fn no_way_is_chosen_by_what_a_handler_says() {
    let mut skipping = 0;
    for (saga, machine, _) in machines() {
        let conditions = machine.states.values().filter_map(|state| state["Choices"].as_array()).flatten();
        let conditions: Vec<&str> = conditions.filter_map(|choice| choice["Condition"].as_str()).collect();
        for condition in conditions {
            assert!(!condition.to_lowercase().contains("cause"), "{}: {condition}", saga.name);
            skipping += usize::from(condition.contains("skipping"));
        }
    }
    assert!(skipping > 0, "no machine asks whether a step is skipped");
}

#[test]
fn two_sagas_that_act_for_one_saga_id_park_apart() {
    let mut records: Vec<String> = Vec::new();
    for (_, machine, _) in machines().into_iter().take(2) {
        records.push(text(&machine.states["park undo"]["Arguments"]["Item"]["what"]["S"]));
        let deleted = &machine.states["unpark undo"]["Arguments"]["Key"]["what"]["S"];
        assert_eq!(records.last(), deleted.as_str().map(str::to_owned).as_ref());
    }
    let of_execution = |what: &str| format!("{{% '{what} @ ' & $states.context.Execution.Name %}}");
    assert_eq!(records, ["undo trip", "undo chain"].map(of_execution));
}

#[test]
fn a_group_with_long_names_has_a_name_that_fits() {
    let mut saga = trip_saga().definition().clone();
    let steps = ["a-step-with-a-name-of-forty-characters-1", "a-step-with-a-name-of-forty-characters-2"];
    let Some(Stage::Parallel(group)) = saga.stages.first_mut() else { panic!("it begins with a group") };
    for (step, name) in group.iter_mut().zip(steps) {
        step.name = name;
    }
    let machine = Machine::read(&emit(&saga, 1));
    let first = machine.ways(&machine.start).pop().map(|way| way.to);
    assert_eq!(first.as_deref(), Some("a-step-with-a-name-of-forty-characters-1 + 1 more"));
}

#[test]
fn placeholders_are_those_that_stand_in_the_machine() {
    for (saga, _, json) in machines() {
        let machine = json.to_string();
        let placeholders = asl::StateMachine::placeholders(&saga);
        for placeholder in &placeholders {
            assert!(machine.contains(&format!("${{{}}}", placeholder.key())), "{placeholder:?} is not used");
        }
        let mut used: Vec<&str> =
            machine.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), placeholders.len(), "{used:?}");
    }
}

/// Functions that a machine calls, and variables of its own, share a name space with the values of a saga.
#[test]
fn no_value_can_have_a_name_that_the_machine_uses_itself() {
    let mut tried = 0;
    for (saga, _, json) in machines() {
        let text = json.to_string();
        let values: Vec<&str> = saga.steps().map(|step| step.output).chain([saga.input]).collect();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let names =
            text.split('$').skip(1).map(|rest| &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())]);
        // What stands in braces is a placeholder, and no value has a capital letter.
        let own = |name: &&str| {
            !name.is_empty() && !values.contains(name) && !name.contains(|c: char| c.is_ascii_uppercase())
        };
        for name in names.filter(own).collect::<std::collections::BTreeSet<_>>() {
            let mut taken = saga.clone();
            taken.pivot.output = String::from(name).leak();
            let refused = taken.check_names().expect_err(name).to_string();
            assert!(refused.contains(&format!("the value name `{name}` is not allowed")), "{refused}");
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} names are found in the machines");
}

/// Integrations with the SDK spell the members of an API in PascalCase, so that only a type of DynamoDB that is spelt with
/// one letter is spelt as in the API; neither emulator nor linter tells.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>
#[test]
fn what_is_written_through_the_sdk_has_types_of_one_letter() {
    fn types(value: &Json, found: &mut Vec<String>) {
        let Some(members) = value.as_object() else { return };
        for (name, inner) in members {
            let is_attribute = |inner: &Json| inner.as_object().is_some_and(|of| of.len() == 1);
            if is_attribute(inner) {
                found.extend(inner.as_object().unwrap().keys().cloned());
            }
            assert!(name.starts_with(|c: char| c.is_ascii_uppercase()) || is_attribute(inner), "{name}");
            if ["Item", "Key", "ExpressionAttributeValues"].contains(&name.as_str()) {
                types(inner, found);
            }
        }
    }
    let mut seen = 0;
    for (saga, _, json) in machines() {
        let through_sdk = |(_, task): &(String, Json)| text(&task["Resource"]).contains(":aws-sdk:dynamodb:");
        for (name, task) in tasks(&json).iter().filter(|task| through_sdk(task)) {
            let mut found = Vec::new();
            types(&task["Arguments"], &mut found);
            assert!(found.len() > 5, "{}: {name} writes only {found:?}", saga.name);
            assert!(found.iter().all(|of| of.len() == 1), "{}: {name} has types {found:?}", saga.name);
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} states write through the SDK");
}

/// What one state assigns is limited as a payload is, and an output alone can be that large.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html#workflow-variables-limits>
#[test]
fn an_answer_that_can_be_as_large_as_a_payload_is_assigned_alone() {
    let mut seen = 0;
    for (saga, _, json) in machines() {
        // An operator's answer is small.
        let asks = |(_, task): &(String, Json)| !task["Arguments"]["MessageBody"].is_null();
        for (name, task) in tasks(&json).into_iter().filter(asks) {
            let assigned = task["Assign"].as_object().into_iter().flatten();
            let assigned: Vec<String> = assigned.map(|(_, value)| text(value)).collect();
            if assigned.iter().any(|value| value == "{% $states.result %}") {
                assert_eq!(assigned.len(), 1, "{}: {name} assigns {assigned:?}", saga.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} states keep an answer");
}

/// A saga whose input no queue takes can still be asked about, and so end.
#[test]
fn who_asks_for_what_is_recorded_sends_no_input() {
    let mut seen = 0;
    for (saga, _, json) in machines() {
        for (name, task) in tasks(&json) {
            let body = &task["Arguments"]["MessageBody"];
            if !body["if_absent"].is_null() {
                assert_eq!(body["input"], json!({}), "{}: {name}", saga.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} states ask");
}
