//! Waiting for something to become true, with a deadline.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// The emulator is one Python process: asking it more often slows down what is waited for.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Asks `probe` again and again, with a growing pause, until it answers `Ok`.
///
/// # Errors
/// When the limit is over: says `what` was waited for and what was seen last, which is the `Err` of the probe. An
/// error around it ends the wait at once.
pub async fn eventually<T, F>(what: &str, limit: Duration, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Result<T, String>>>,
{
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = match probe().await? {
            Ok(found) => return Ok(found),
            Err(seen) => seen,
        };
        if begun.elapsed() >= limit {
            bail!("not within {} s: {what}; seen last: {seen}", limit.as_secs());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}
