//! A history for people: in words, and as a sequence diagram.

use crate::{
    asl::End,
    model::{Action, Fate, Flight, Process, QUEUED, State, Tables, VOID, Work, operator_event, owner},
    process::{Ask, Progress},
    search::Path,
    wording::{answered, applies, asks, replies},
};
use serde::Serialize;
use std::{fmt, fmt::Write as _};

/// A history that breaks something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// What it breaks.
    pub broken: String,
    /// What happens, in order.
    pub lines: Vec<Line>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Who does it.
    pub from: String,
    /// To whom; the same as `from` when it concerns nobody else.
    pub to: String,
    /// What.
    pub text: String,
    /// It is one of the faults.
    pub fault: bool,
}

impl Timeline {
    pub(crate) fn of(tables: &Tables, path: &Path) -> Self {
        let teller = Teller { tables };
        let mut lines = Vec::new();
        if let Some((first, _)) = path.first() {
            for slot in 0..first.runs.len() {
                teller.stands(first, slot, &mut lines);
            }
        }
        for (place, (before, action)) in path.iter().enumerate() {
            let (Some(action), Some((after, _))) = (action, path.get(place + 1)) else { continue };
            teller.tell(before, *action, after, &mut lines);
        }
        let broken = path.last().map(|(state, _)| tables.verdicts.value(state.verdict).as_str().to_owned());
        Self { broken: broken.unwrap_or_default(), lines }
    }

    /// As a Mermaid sequence diagram.
    pub fn mermaid(&self) -> String {
        let mut actors: Vec<&str> = Vec::new();
        for name in self.lines.iter().flat_map(|line| [&line.from, &line.to]) {
            if !actors.contains(&name.as_str()) {
                actors.push(name);
            }
        }
        let actor = |name: &str| actors.iter().position(|other| *other == name).unwrap_or(0);
        let mut diagram = "sequenceDiagram\n".to_owned();
        for (place, name) in actors.iter().enumerate() {
            let _ = writeln!(diagram, "    participant p{place} as {}", plain(name));
        }
        for Line { from, to, text, fault } in &self.lines {
            let (from, to, text) = (actor(from), actor(to), plain(text));
            let _ = match (from == to, fault) {
                (true, true) => writeln!(diagram, "    Note over p{from}: ⚡ {text}"),
                (true, false) => writeln!(diagram, "    Note over p{from}: {text}"),
                (false, true) => writeln!(diagram, "    p{from}-xp{to}: ⚡ {text}"),
                (false, false) => writeln!(diagram, "    p{from}->>p{to}: {text}"),
            };
        }
        let last = actors.len().saturating_sub(1);
        let _ = writeln!(diagram, "    Note over p0,p{last}: broken: {}", plain(&self.broken));
        diagram
    }
}

/// Mermaid ends a line at `;` and reads `#` as the start of a character's number.
fn plain(text: &str) -> String {
    text.replace([';', '#'], ",").replace('\n', " ")
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Line { from, to, text, fault }) in (1..).zip(&self.lines) {
            let fault = if *fault { "FAULT: " } else { "" };
            if from == to {
                writeln!(f, "{number:>3}. {from}: {fault}{text}")?;
            } else {
                writeln!(f, "{number:>3}. {from} -> {to}: {fault}{text}")?;
            }
        }
        writeln!(f, "  => {}", self.broken)
    }
}

struct Teller<'a> {
    tables: &'a Tables,
}

impl Teller<'_> {
    fn tell(&self, before: &State, action: Action, after: &State, lines: &mut Vec<Line>) {
        let fault = after.faults < before.faults;
        match action {
            Action::Handle { flight, fate, choice, way } => {
                let flight = before.flights[usize::from(flight)];
                self.handled(before, flight, fate, usize::from(choice), lines);
                if way > 0 {
                    let who = self.asker(before, flight);
                    push(
                        lines,
                        &who,
                        &who,
                        "an integration of the next states fails, with all its retries",
                        true,
                    );
                }
            }
            Action::Land { flight, .. } => {
                let flight = before.flights[usize::from(flight)];
                let host = self.host(flight);
                match &self.tables.known(flight.process).progress {
                    Progress::Asks(Ask::Apply(transaction)) => {
                        let text =
                            format!("the request of the dead process arrives: {}", applies(transaction));
                        push(lines, &host, &host, &text, false);
                    }
                    _ => push(lines, &host, "peer", "the request of the dead process arrives", false),
                }
            }
            Action::PutBack { flight } => {
                let flight = before.flights[usize::from(flight)];
                let text = format!("redrives `{}` from the dead-letter queue", self.what(flight));
                push(lines, "operator", &self.host(flight), &text, false);
            }
            Action::TimeOut { slot, branch, used_up } => {
                let who = self.execution(before, usize::from(slot));
                let state = self.waits_in(before, usize::from(slot), branch);
                let more = if used_up { ", and so does every retry" } else { "" };
                push(lines, &who, &who, &format!("`{state}` times out{more}"), fault);
            }
            Action::SendFails { slot, branch } => {
                let who = self.execution(before, usize::from(slot));
                let state = self.waits_in(before, usize::from(slot), branch);
                push(lines, &who, &who, &format!("the message of `{state}` cannot be sent"), true);
            }
            Action::Operate { token, skip, only, way } => {
                let (slot, branch) = owner(token);
                let who = self.execution(before, slot);
                let only = self.tables.only(before.parked, token, only);
                let of = only.as_ref().map_or_else(String::new, |step| format!(" `{step}` only"));
                push(lines, "operator", &who, &format!("{}{of}", if skip { "skip" } else { "retry" }), false);
                let event = self.tables.events.id(operator_event(branch, skip, only.as_deref()));
                let moves = self.tables.moves(before.runs[slot], event);
                if let Some(failed) = moves.get(usize::from(way)).and_then(|moved| moved.failed.as_ref()) {
                    push(lines, &who, &who, &format!("`{failed}` fails, with all its retries"), true);
                }
            }
            Action::Examine { place, choice } => {
                if let Some(message) = self.tables.examined(before.peer).get(usize::from(place)) {
                    let flight = Flight::new(*message, VOID);
                    self.handled(before, flight, Fate::Well, usize::from(choice), lines);
                }
            }
            other => self.tell_rare(before, other, fault, lines),
        }
        for slot in 0..after.runs.len() {
            if before.runs.get(slot) != after.runs.get(slot) {
                self.stands(after, slot, lines);
            }
        }
    }

    /// What happens to executions and sagas as a whole.
    fn tell_rare(&self, before: &State, action: Action, fault: bool, lines: &mut Vec<Line>) {
        match action {
            Action::Lose { flight } => {
                let flight = before.flights[usize::from(flight)];
                let text = format!("the event that {} died is lost", self.about(flight));
                push(lines, "events", "events", &text, true);
            }
            Action::Abort { slot } => {
                let who = self.execution(before, usize::from(slot));
                push(lines, &who, &who, "the execution is stopped from outside", true);
            }
            Action::Redrive { slot } => {
                let who = self.execution(before, usize::from(slot));
                push(lines, "operator", &who, "redrives the execution", true);
            }
            Action::Write => {
                let written = self.tables.meanwhile.as_ref().map(|written| {
                    let fields: Vec<&str> = written.row.keys().map(AsRef::as_ref).collect();
                    format!("sets `{}` of {}", fields.join("`, `"), written.key)
                });
                push(lines, "somebody else", "somebody else", &written.unwrap_or_default(), false);
            }
            Action::Another { saga } => {
                let id = &self.tables.starts[usize::from(saga)].name;
                let text = format!("the id {id} is used for another input, on another machine");
                push(lines, "customer", "customer", &text, true);
            }
            Action::Beside { saga } => {
                let id = &self.tables.starts[usize::from(saga)].name;
                let text = format!("starts another execution of {id}, with the same input");
                push(lines, "operator", "operator", &text, true);
            }
            Action::Expire { saga } => {
                let id = &self.tables.starts[usize::from(saga)].name;
                push(lines, "time", "time", &format!("the fences of {id} expire"), true);
            }
            Action::Again { saga, late } => {
                let id = &self.tables.starts[usize::from(saga)].name;
                let gone = if late { ", and its fences are gone" } else { "" };
                push(
                    lines,
                    "time",
                    "time",
                    &format!("the id {id} is used again, for another input{gone}"),
                    true,
                );
            }
            Action::Sweep => push(lines, "rescue", "rescue", "looks for executions that died", fault),
            _ => {}
        }
    }

    fn handled(&self, before: &State, flight: Flight, fate: Fate, choice: usize, lines: &mut Vec<Line>) {
        let (who, what) = (self.host(flight), self.what(flight));
        let message = self.tables.messages.value(flight.message);
        if flight.process == QUEUED && matches!(message.work, Work::Examine(_)) {
            push(lines, &who, &who, &format!("looks at {}", message.saga_id), false);
        } else if flight.process == QUEUED && matches!(message.work, Work::Report(_)) {
            let twice = if fate == Fate::Doubled { ", and will be told a second time" } else { "" };
            let text = format!("{} died{twice}", message.saga_id);
            push(lines, "events", &who, &text, fate == Fate::Doubled);
        } else if flight.process == QUEUED {
            let twice = if fate == Fate::Doubled { ", and will come a second time" } else { "" };
            let text = format!("`{what}` of {}{twice}", message.saga_id);
            push(lines, "queue", &who, &text, fate == Fate::Doubled);
        }
        let process =
            if flight.process == QUEUED { self.tables.begin(flight.message) } else { flight.process };
        let known = self.tables.known(process);
        let Progress::Asks(ask) = &known.progress else {
            return push(lines, &who, &who, &format!("{:?}", known.progress), false);
        };
        if fate == Fate::DiesBefore {
            return push(lines, &who, &who, &format!("dies before it {}", asks(ask)), true);
        }
        if fate == Fate::Adrift {
            return push(
                lines,
                &who,
                &who,
                &format!("dies while it {}: the request is on its way", asks(ask)),
                true,
            );
        }
        let asked = self.tables.asked_now(before, process, ask, fate.manner());
        let Some(asked) = asked.get(choice) else { return };
        let answer = match self.tables.processes.value(asked.process) {
            Process::Then(_, answer) => answered(answer),
            Process::Start(_) => String::new(),
        };
        let to = if matches!(ask, Ask::Outside(_)) { "peer" } else { &who };
        let fault = matches!(fate, Fate::Busy | Fate::AnswerLost | Fate::Again | Fate::Stale);
        let of = match fate {
            Fate::Again => " (told to its second try: the answer to the first was lost)",
            Fate::Stale => " (as it was some time ago)",
            _ => "",
        };
        push(lines, &who, to, &format!("{}{answer}{of}", asks(ask)), fault);
        let fate_text = match fate {
            Fate::DiesAfter => Some("dies after that, before it answers"),
            Fate::Late => Some("answers too late: the step has timed out"),
            _ => None,
        };
        if let Some(text) = fate_text {
            push(lines, &who, &who, text, true);
        }
        if let (Progress::Asks(Ask::Reply(reply)), None) =
            (&self.tables.known(asked.process).progress, fate_text)
        {
            push(lines, &who, &self.asker(before, flight), &replies(reply), false);
        }
    }

    /// Where an execution stands.
    fn stands(&self, state: &State, slot: usize, lines: &mut Vec<Line>) {
        let run = self.tables.runs.value(state.runs[slot]);
        let who = self.execution(state, slot);
        let text = match run.end() {
            Some(End::Succeeded(output)) => {
                format!("ends {}", output["outcome"].as_str().unwrap_or("without outcome"))
            }
            Some(End::Failed { error, .. }) => format!("fails with {error}"),
            Some(End::Aborted) => return,
            None => {
                let machine = self.tables.machine_of(run.execution());
                let waiting = run.waiting(machine);
                let states: Vec<String> = waiting.iter().map(|waits| format!("`{}`", waits.state)).collect();
                format!("waits in {}", states.join(" and "))
            }
        };
        push(lines, &who, &who, &text, false);
    }

    fn host(&self, flight: Flight) -> String {
        let message = self.tables.messages.value(flight.message);
        self.tables.doer(message).to_owned()
    }

    /// Which execution an event is about.
    fn about(&self, flight: Flight) -> String {
        self.tables.messages.value(flight.message).saga_id.clone()
    }

    fn what(&self, flight: Flight) -> String {
        self.tables.messages.value(flight.message).what.clone()
    }

    fn execution(&self, state: &State, slot: usize) -> String {
        let run = self.tables.runs.value(state.runs[slot]);
        format!("{} {}", self.tables.machines[run.execution().machine].0, run.execution().name)
    }

    fn waits_in(&self, state: &State, slot: usize, branch: u8) -> String {
        let run = self.tables.runs.value(state.runs[slot]);
        let machine = self.tables.machine_of(run.execution());
        let waiting = run.waiting(machine);
        waiting.iter().find(|waits| waits.branch == branch).map_or("?", |waits| waits.state).to_owned()
    }

    fn asker(&self, state: &State, flight: Flight) -> String {
        let (slot, _) = owner(flight.token);
        if slot < state.runs.len() { self.execution(state, slot) } else { "nobody".into() }
    }
}

fn push(lines: &mut Vec<Line>, from: &str, to: &str, text: &str, fault: bool) {
    lines.push(Line { from: from.into(), to: to.into(), text: text.into(), fault });
}
