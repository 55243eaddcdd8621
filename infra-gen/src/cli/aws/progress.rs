//! Progress as lines.

use std::io::{self, IsTerminal};
use std::time::Duration;

use infra_gen::aws::{Progress, ResourceEvent, Update};

use crate::cli::{output, package};

/// Prints a line per thing that happened. On a terminal, what has only begun is one line that is overwritten.
pub(super) struct Lines {
    terminal: bool,
    /// Whether what has not changed is left out.
    brief: bool,
    /// The resources that are worked on.
    begun: Vec<String>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { terminal: io::stdout().is_terminal(), brief: false, begun: Vec::new() }
    }

    /// For whoever deploys again and again.
    pub(super) fn brief() -> Self {
        Self { brief: true, ..Self::new() }
    }

    fn line(&self, text: &str) {
        if self.terminal {
            output::part("\r\x1b[K");
        }
        output::line(text);
    }

    /// The line that is overwritten: what is worked on now.
    fn begun_line(&self, elapsed: Duration) {
        if !self.terminal || self.begun.is_empty() {
            return;
        }
        let mut text = format!("  {:>7}  working on {}", seconds(elapsed), self.begun.join(", "));
        const WIDTH: usize = 78;
        if let Some((end, _)) = text.char_indices().nth(WIDTH) {
            text.truncate(end);
            text.push('…');
        }
        output::part(format_args!("\r\x1b[K{text}"));
    }

    fn resource(&mut self, event: &ResourceEvent, elapsed: Duration) {
        self.begun.retain(|id| *id != event.logical_id);
        let in_progress = event.status.ends_with("_IN_PROGRESS");
        if in_progress && !event.is_stack {
            self.begun.push(event.logical_id.clone());
        }
        if !(self.terminal && in_progress && event.reason.is_none()) {
            self.line(&resource_line(event, elapsed));
        }
        self.begun_line(elapsed);
    }
}

impl Progress for Lines {
    fn update(&mut self, update: Update<'_>) {
        match update {
            Update::Note(note) => self.line(note),
            Update::Packaged(packages) if self.brief => {
                let built = packages.iter().filter(|package| package.built).cloned();
                package::report(&built.collect::<Vec<_>>());
            }
            Update::Packaged(packages) => package::report(packages),
            Update::Uploaded { key, bytes } => self.line(&format!("uploaded {key} ({} kB)", bytes / 1000)),
            Update::StackStarted { stack, doing } => {
                self.begun.clear();
                self.line(&format!("{doing} stack {stack}"));
            }
            Update::Resource { event, elapsed, .. } => self.resource(event, elapsed),
            Update::StackEnded { stack, status, elapsed } => {
                self.begun.clear();
                self.line(&format!(
                    "stack {stack}: {} after {}",
                    status.unwrap_or("deleted"),
                    seconds(elapsed)
                ));
            }
            Update::NoChanges { stack } => self.line(&format!("stack {stack}: no changes")),
            // Kinds of news that this program does not know are not its business.
            _ => {}
        }
    }
}

fn resource_line(event: &ResourceEvent, elapsed: Duration) -> String {
    let mut line = format!(
        "  {:>7}  {:<18}  {} ({})",
        seconds(elapsed),
        event.status,
        event.logical_id,
        event.resource_type
    );
    if let Some(reason) = &event.reason {
        line.push_str(": ");
        line.push_str(reason);
    }
    line
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_line_says_when_what_and_why() {
        let event = ResourceEvent {
            logical_id: "Queue".to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            status: "CREATE_FAILED".to_owned(),
            reason: Some("the name is taken".to_owned()),
            ..ResourceEvent::default()
        };
        assert_eq!(
            resource_line(&event, Duration::from_millis(1_250)),
            "    1.2 s  CREATE_FAILED       Queue (AWS::SQS::Queue): the name is taken"
        );
    }
}
