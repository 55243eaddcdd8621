//! Pictures of a saga for people: Mermaid, DOT and SVG, all deterministic.

mod dot;
mod mermaid;
mod svg;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use crate::definition::{Definition, Stage, StepSpec};

/// An edge of the picture, between states named as in the state machine.
struct Edge {
    from: String,
    to: String,
    kind: EdgeKind,
}

enum EdgeKind {
    /// The step was done.
    Done,
    /// The step said no: these rejections.
    Rejected(&'static [&'static str]),
    /// The outcome is unknown.
    Unknown,
    /// The undo was done.
    Undone,
}

const COMMITTED: &str = "committed";
const COMPENSATED: &str = "compensated";

fn undo_name(step: &StepSpec) -> String {
    format!("undo {}", step.name)
}

fn settle_name(definition: &Definition) -> String {
    format!("settle {}", definition.pivot.name)
}

/// Every edge, in reading order.
fn edges(definition: &Definition) -> Vec<Edge> {
    let undos: Vec<&StepSpec> = definition.compensable_steps().collect();
    let undo_before =
        |n: usize| n.checked_sub(1).map_or_else(|| COMPENSATED.to_owned(), |last| undo_name(undos[last]));
    let mut edges = Vec::new();
    let mut edge = |from: &str, to: &str, kind| edges.push(Edge { from: from.into(), to: to.into(), kind });
    let mut last: Vec<&str> = vec![definition.input];
    let mut before = 0;
    for stage in &definition.stages {
        let names: Vec<&str> = stage.steps().iter().map(|step| step.name).collect();
        for (from, to) in last.iter().flat_map(|from| names.iter().map(move |to| (from, to))) {
            edge(from, to, EdgeKind::Done);
        }
        let after = before + names.len();
        for step in stage.steps() {
            // A single step that said no had no effect; a group is undone as a whole.
            let rejected = if matches!(stage, Stage::Step(_)) { before } else { after };
            if !step.rejections.is_empty() {
                edge(step.name, &undo_before(rejected), EdgeKind::Rejected(step.rejections));
            }
            edge(step.name, &settle_name(definition), EdgeKind::Unknown);
        }
        (last, before) = (names, after);
    }
    let pivot = &definition.pivot;
    for from in last {
        edge(from, pivot.name, EdgeKind::Done);
    }
    if !pivot.rejections.is_empty() {
        edge(pivot.name, &undo_before(before), EdgeKind::Rejected(pivot.rejections));
    }
    edge(pivot.name, &settle_name(definition), EdgeKind::Unknown);
    edge(&settle_name(definition), &undo_before(before), EdgeKind::Undone);
    let after_pivot: Vec<&str> = definition.finish.iter().map(|step| step.name).chain([COMMITTED]).collect();
    edge(pivot.name, after_pivot[0], EdgeKind::Done);
    edge(&settle_name(definition), after_pivot[0], EdgeKind::Done);
    for pair in after_pivot.windows(2) {
        edge(pair[0], pair[1], EdgeKind::Done);
    }
    for place in (0..undos.len()).rev() {
        edge(&undo_name(undos[place]), &undo_before(place), EdgeKind::Undone);
    }
    edges
}
