//! Mermaid, as GitHub draws it.

use super::{COMMITTED, COMPENSATED, EdgeKind, edges, settle_name, undo_name};
use crate::definition::{Definition, Kind};
use std::fmt::Write;

/// The saga as a [Mermaid](https://mermaid.js.org/syntax/flowchart.html) flowchart.
pub fn mermaid(definition: &Definition) -> String {
    let mut text = String::from("flowchart LR\n");
    let mut line = |args: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {args}");
    };
    line(format_args!("{}([{}])", id(definition.input), definition.input));
    for step in definition.steps() {
        let (open, close) = if step.kind == Kind::Pivot { ("{{\"", "\"}}") } else { ("[\"", "\"]") };
        line(format_args!(
            "{}{open}{}<br/><small>{}</small>{close}",
            id(step.name),
            step.name,
            step.participant
        ));
    }
    line(format_args!("{}([{COMMITTED}])", id(COMMITTED)));
    for step in definition.compensable_steps() {
        line(format_args!("{}[\"{}\"]", id(&undo_name(step)), undo_name(step)));
    }
    let settle = settle_name(definition);
    line(format_args!("{}{{{{\"{settle}\"}}}}", id(&settle)));
    line(format_args!("{}([{COMPENSATED}])", id(COMPENSATED)));
    for edge in edges(definition) {
        let (from, to) = (id(&edge.from), id(&edge.to));
        match edge.kind {
            EdgeKind::Done => line(format_args!("{from} --> {to}")),
            EdgeKind::Undone => line(format_args!("{from} ==> {to}")),
            EdgeKind::Unknown => line(format_args!("{from} -. unknown .-> {to}")),
            EdgeKind::Rejected(names) => line(format_args!("{from} -. {} .-> {to}", names.join(", "))),
        }
    }
    text
}

fn id(name: &str) -> String {
    name.replace([' ', '-'], "_")
}
