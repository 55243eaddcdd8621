//! SVG, drawn without any tool: forward in the upper half, undo in the lower.

use super::{COMMITTED, COMPENSATED, EdgeKind, edges, settle_name, undo_name};
use crate::definition::{Definition, Kind, Stage, StepSpec};
use std::{collections::BTreeMap, fmt::Write};

const COLUMN: i32 = 210;
const ROW: i32 = 64;
const WIDTH: i32 = 150;
const HEIGHT: i32 = 44;
const MARGIN: i32 = 30;

/// The saga as a standalone SVG picture.
pub fn svg(definition: &Definition) -> String {
    let layout = Layout::of(definition);
    let (width, height) = layout.size();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" role=\"img\">\n<title>Saga {}</title>\n{DEFINITIONS}<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        definition.name
    );
    for edge in edges(definition) {
        if let (Some(from), Some(to)) = (layout.boxes.get(&edge.from), layout.boxes.get(&edge.to)) {
            text.push_str(&line(from, to, &edge.kind));
        }
    }
    for placed in layout.boxes.values() {
        text.push_str(&placed.draw());
    }
    text.push_str(&legend(height));
    text.push_str("</svg>\n");
    text
}

const DEFINITIONS: &str = "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0 8 4 0 8z\" fill=\"context-stroke\"/></marker></defs>\n";

struct Layout {
    boxes: BTreeMap<String, Placed>,
    columns: i32,
    rows: i32,
}

impl Layout {
    fn of(definition: &Definition) -> Self {
        let rows = definition.stages.iter().map(|stage| stage.steps().len()).max().unwrap_or(1).max(1) as i32;
        let mut layout = Self { boxes: BTreeMap::new(), columns: 0, rows };
        layout.end(definition.input, 0, 0);
        layout.end(COMPENSATED, 0, rows + 1);
        let mut column = 1;
        for stage in &definition.stages {
            layout.stage(stage, column);
            column += 1;
        }
        layout.put(&definition.pivot, column, 0);
        let settle = settle_name(definition);
        let text = vec![settle.clone(), "asks the fence".into()];
        layout.boxes.insert(settle, Placed { x: column, y: rows + 1, text, look: Look::Settle });
        column += 1;
        for step in &definition.finish {
            layout.put(step, column, 0);
            column += 1;
        }
        layout.end(COMMITTED, column, 0);
        layout.columns = column + 1;
        layout
    }

    fn stage(&mut self, stage: &Stage, column: i32) {
        for (row, step) in (0..).zip(stage.steps()) {
            self.put(step, column, row);
            let name = undo_name(step);
            let placed =
                Placed { x: column, y: self.rows + 1 + row, text: vec![name.clone()], look: Look::Undo };
            self.boxes.insert(name, placed);
        }
    }

    fn put(&mut self, step: &StepSpec, x: i32, y: i32) {
        let look = if step.kind == Kind::Pivot { Look::Pivot } else { Look::Run };
        let text = vec![step.name.to_owned(), step.participant.to_owned()];
        self.boxes.insert(step.name.to_owned(), Placed { x, y, text, look });
    }

    fn end(&mut self, name: &str, x: i32, y: i32) {
        self.boxes.insert(name.to_owned(), Placed { x, y, text: vec![name.to_owned()], look: Look::End });
    }

    fn size(&self) -> (i32, i32) {
        (self.columns * COLUMN - (COLUMN - WIDTH) + 2 * MARGIN, (2 * self.rows + 1) * ROW + 2 * MARGIN + 20)
    }
}

struct Placed {
    /// Column and row.
    x: i32,
    y: i32,
    text: Vec<String>,
    look: Look,
}

enum Look {
    Run,
    Pivot,
    Undo,
    Settle,
    End,
}

impl Placed {
    fn left(&self) -> i32 {
        MARGIN + self.x * COLUMN
    }

    fn top(&self) -> i32 {
        MARGIN + self.y * ROW
    }

    fn draw(&self) -> String {
        let (fill, stroke, corner) = match self.look {
            Look::Run => ("#e8f1fb", "#2563a8", 6),
            Look::Pivot => ("#fff4d6", "#b7791f", 6),
            Look::Undo => ("#fdecea", "#b3362b", 6),
            Look::Settle => ("#fff4d6", "#b7791f", 22),
            Look::End => ("#eeeeee", "#555555", 22),
        };
        let (left, top) = (self.left(), self.top());
        let mut text = format!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"{corner}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.5\"/>\n"
        );
        let middle = left + WIDTH / 2;
        let first = top + HEIGHT / 2 + 5 - 8 * (self.text.len() as i32 - 1);
        for (row, (line, (size, color))) in
            (0..).zip(self.text.iter().zip([(13, "#111111"), (11, "#555555")]))
        {
            let y = first + row * 16;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "<text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"{size}\" fill=\"{color}\">{line}</text>"
            );
        }
        text
    }
}

fn line(from: &Placed, to: &Placed, kind: &EdgeKind) -> String {
    let (color, dash, label) = match kind {
        EdgeKind::Done => ("#2563a8", "", String::new()),
        EdgeKind::Undone => ("#b3362b", "", String::new()),
        EdgeKind::Unknown => ("#777777", " stroke-dasharray=\"4 4\"", String::new()),
        EdgeKind::Rejected(names) => ("#c2620a", " stroke-dasharray=\"7 3\"", names.join(", ")),
    };
    let (x1, y1, x2, y2) = ends(from, to);
    let mut text = format!(
        "<path d=\"M{x1} {y1} L{x2} {y2}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\"{dash} marker-end=\"url(#a)\"/>\n"
    );
    if !label.is_empty() {
        let (x, y) = (x1 + (x2 - x1) * 2 / 5, y1 + (y2 - y1) * 2 / 5);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"11\" fill=\"{color}\" stroke=\"#ffffff\" stroke-width=\"4\" paint-order=\"stroke\">{label}</text>"
        );
    }
    text
}

/// Where a line leaves one box and reaches the other.
fn ends(from: &Placed, to: &Placed) -> (i32, i32, i32, i32) {
    let middle = |placed: &Placed| placed.top() + HEIGHT / 2;
    let center = |placed: &Placed| placed.left() + WIDTH / 2;
    match (from.x.cmp(&to.x), from.y.cmp(&to.y)) {
        (std::cmp::Ordering::Less, _) => (from.left() + WIDTH, middle(from), to.left() - 2, middle(to)),
        (std::cmp::Ordering::Greater, std::cmp::Ordering::Equal) => {
            (from.left(), middle(from), to.left() + WIDTH + 2, middle(to))
        }
        (std::cmp::Ordering::Greater, _) => {
            (center(from) - 30, from.top() + HEIGHT, center(to) + 45, to.top() - 2)
        }
        (std::cmp::Ordering::Equal, std::cmp::Ordering::Greater) => {
            (center(from), from.top(), center(to), to.top() + HEIGHT + 2)
        }
        _ => (center(from), from.top() + HEIGHT, center(to), to.top() - 2),
    }
}

fn legend(height: i32) -> String {
    let y = height - 14;
    format!(
        "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"11\" fill=\"#555555\">blue: done · orange: rejected, the step had no effect · grey: outcome unknown, so the pivot decides · red: undo</text>\n"
    )
}
