//! Logs: one JSON object a line, on standard output.

use crate::panicked;
use std::{io, time::Instant};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};

/// How long ago something began, in milliseconds with two decimals: the `duration_ms` of a log line.
pub fn elapsed_ms(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 1e5).round() / 1e2
}

/// Sends the logs of this process to standard output, and panics with them. Only the first call has an effect.
pub(crate) fn start() {
    // An error says that logs are set up already, which is what is wanted.
    if tracing::subscriber::set_global_default(subscriber(io::stdout)).is_ok() {
        panicked::tell_places();
    }
}

/// Writes logs elsewhere.
pub(crate) fn subscriber(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    SubscriberBuilder::default()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        // Fixed: at debug the AWS SDK logs whole requests, and task tokens are among them.
        .with_max_level(LevelFilter::INFO)
        .with_writer(writer)
        .finish()
}
