//! DOT, for Graphviz.

use super::{COMMITTED, COMPENSATED, EdgeKind, edges, settle_name};
use crate::definition::{Definition, Kind};
use std::fmt::Write;

/// The saga in the [DOT language](https://graphviz.org/doc/info/lang.html).
pub fn dot(definition: &Definition) -> String {
    let mut text = format!("digraph \"{}\" {{\n", definition.name);
    let mut line = |args: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {args};");
    };
    line(format_args!("rankdir=LR"));
    line(format_args!("node [shape=box, fontname=\"Helvetica\"]"));
    for end in [definition.input, COMMITTED, COMPENSATED] {
        line(format_args!("\"{end}\" [shape=oval]"));
    }
    line(format_args!("\"{}\" [shape=diamond]", settle_name(definition)));
    for step in definition.steps() {
        let shape = if step.kind == Kind::Pivot { ", shape=hexagon" } else { "" };
        line(format_args!("\"{0}\" [label=\"{0}\\n{1}\"{shape}]", step.name, step.participant));
    }
    for edge in edges(definition) {
        let style = match edge.kind {
            EdgeKind::Done => String::new(),
            EdgeKind::Undone => " [color=firebrick]".into(),
            EdgeKind::Unknown => " [style=dashed, color=gray40, label=\"unknown\"]".into(),
            EdgeKind::Rejected(names) => {
                format!(" [style=dashed, color=darkorange, label=\"{}\"]", names.join(", "))
            }
        };
        line(format_args!("\"{}\" -> \"{}\"{style}", edge.from, edge.to));
    }
    text.push_str("}\n");
    text
}
