//! Writing to the standard output.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line.
///
/// When nobody reads any more (`infra-gen … | head`) it is lost, and the work goes on: a deployment does not end in
/// the middle because of it.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes text that is not a whole line, and shows it at once.
pub(crate) fn part(text: impl Display) {
    let mut out = io::stdout();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
