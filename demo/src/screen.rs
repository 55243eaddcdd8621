//! What is shown while the demo runs: steps with their time, and the progress of the orders. On a terminal it moves;
//! elsewhere it is plain lines.

use crate::tally::Tally;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

const TICK: Duration = Duration::from_millis(100);
/// How often progress is printed where nothing can move.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
const NAME_WIDTH: usize = 10;
const WIDTH_MAX: u16 = 100;

/// Standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    terminal: bool,
}

impl Screen {
    /// Looks whether standard output is a terminal.
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stdout().is_terminal() }
    }

    /// Prints a line.
    pub(crate) fn line(self, text: &str) {
        // Nobody reads: the exit code still tells how it went.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// How many columns there are for tables.
    pub(crate) fn width(self) -> u16 {
        let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| size.ws_col);
        if columns == 0 { WIDTH_MAX } else { columns.min(WIDTH_MAX) }
    }

    /// Begins a step.
    pub(crate) fn step(self, name: &'static str) -> Step {
        let bar = self.bar(ProgressBar::new_spinner(), "{spinner:.cyan} {wide_msg} {elapsed:.dim}");
        let step = Step { screen: self, name, begun: Instant::now(), bar };
        step.now("…");
        step
    }

    /// Shows the progress of this many orders.
    pub(crate) fn progress(self, total: usize) -> Progress {
        let template = "  {bar:12.green/black.bright} {pos}/{len} {wide_msg}";
        let bar = self.bar(ProgressBar::new(total as u64), template);
        let now = Instant::now();
        Progress { screen: self, bar, begun: now, printed: Cell::new(now), last: Cell::default() }
    }

    fn bar(self, bar: ProgressBar, template: &str) -> ProgressBar {
        if !self.terminal {
            return ProgressBar::hidden();
        }
        bar.set_draw_target(ProgressDrawTarget::stdout());
        // The templates are ours and valid; a wrong one would show as the default style.
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Paints text, where colours are seen.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Green => 32,
            Colour::Red => 31,
            Colour::Dim => 2,
        };
        if self.terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// How text can stand out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Colour {
    /// It is well.
    Green,
    /// It is not.
    Red,
    /// It is beside the point.
    Dim,
}

/// A step that runs. Dropping it without [`done`](Self::done) shows nothing of it.
#[derive(Debug)]
pub(crate) struct Step {
    screen: Screen,
    name: &'static str,
    begun: Instant,
    bar: ProgressBar,
}

impl Step {
    /// Shows what it is at.
    pub(crate) fn now(&self, text: &str) {
        self.bar.set_message(format!("{:NAME_WIDTH$} {text}", self.name));
    }

    /// Ends it: one line with what came out and how long it took.
    pub(crate) fn done(mut self, text: &str) {
        self.end(self.name, text);
    }

    /// Ends a part of it: the same, under a name of its own. The next part begins.
    pub(crate) fn end(&mut self, name: &'static str, text: &str) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let tick = self.screen.paint(Colour::Green, "✓");
        let time = self.screen.paint(Colour::Dim, &format!("{seconds:.1} s"));
        let screen = self.screen;
        self.bar.suspend(|| screen.line(&format!("{tick} {name:NAME_WIDTH$} {text} · {time}")));
        self.begun = Instant::now();
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of the orders.
#[derive(Debug)]
pub(crate) struct Progress {
    screen: Screen,
    bar: ProgressBar,
    begun: Instant,
    printed: Cell<Instant>,
    last: Cell<(usize, Duration)>,
}

impl Progress {
    /// Shows where the orders are, and what is waited for, if anything special is.
    pub(crate) fn show(&self, tally: &Tally, waiting: Option<&str>) {
        let elapsed = self.begun.elapsed();
        let (finished, at) = self.last.get();
        if tally.finished() > finished {
            self.last.set((tally.finished(), elapsed));
        }
        // While only stragglers are waited for, the rate stays what it was when the others had ended.
        let (finished, at) = if waiting.is_some() { (finished, at) } else { (tally.finished(), elapsed) };
        let rate = finished as f64 / at.as_secs_f64().max(0.001);
        let clock = format!("{}:{:02}", elapsed.as_secs() / 60, elapsed.as_secs() % 60);
        let tail = waiting.map_or_else(|| format!("{rate:.0} sagas/s"), str::to_owned);
        let text = format!("{clock} · {} · {tail}", tally.parts());
        self.bar.set_position(tally.finished() as u64);
        self.bar.set_message(text.clone());
        if !self.screen.terminal && self.printed.get().elapsed() >= PLAIN_INTERVAL {
            self.printed.set(Instant::now());
            self.screen.line(&format!("  {}/{} {text}", tally.finished(), tally.total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
