//! Time: until when a function may work, and how it tries again within that time.

use futures::FutureExt;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep, timeout};

/// Until when something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// When Lambda ends this invocation.
    pub fn of_invocation(context: &lambda_runtime::Context) -> Self {
        Self::after(context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
    }

    /// From now on this long.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// This much earlier, but not in the past.
    pub fn earlier(self, by: Duration) -> Self {
        Self::after(self.remaining().saturating_sub(by))
    }

    /// How long it is until then.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// What came of one try.
#[derive(Debug)]
pub enum Tried<T> {
    /// An answer, good or bad, that another try would not change.
    Answered(T),
    /// No answer, and why: worth another try.
    Again(String),
}

/// The longest wait for one answer. AWS answers in milliseconds; what takes longer than this is a lost connection.
const LONGEST_TRY: Duration = Duration::from_secs(2);
/// The ceiling of the first pause; it doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The ceiling of every pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Tries until there is an answer or no time is left, pausing with exponential backoff and full jitter.
///
/// # Errors
/// Why there was no answer in the end.
pub async fn persist<T, F>(deadline: Deadline, mut attempt: impl FnMut() -> F + Send) -> Result<T, String>
where
    F: Future<Output = Tried<T>> + Send,
{
    let mut ceiling = FIRST_PAUSE;
    for tries in 1_u32.. {
        // Half of what is left: a hung connection leaves time for a second try.
        let limit = LONGEST_TRY.min(deadline.remaining() / 2);
        let why = match timeout(limit, attempt().boxed()).await {
            Ok(Tried::Answered(answer)) => return Ok(answer),
            Ok(Tried::Again(why)) => why,
            Err(_) => format!("no answer within {} ms", limit.as_millis()),
        };
        let pause = ceiling.mul_f64(fastrand::f64());
        if pause >= deadline.remaining() {
            return Err(format!("{why} (tried {tries} times)"));
        }
        sleep(pause).await;
        ceiling = (ceiling * 2).min(LONGEST_PAUSE);
    }
    Err("tried too often".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_tries_until_there_is_an_answer() {
        let mut tries = 0;
        let deadline = Deadline::after(Duration::from_secs(3));
        let answer = persist(deadline, || {
            tries += 1;
            let tried = if tries < 4 { Tried::Again("busy".into()) } else { Tried::Answered(tries) };
            async { tried }
        });
        assert_eq!(answer.await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_in_time_and_says_why() {
        let deadline = Deadline::after(Duration::from_secs(3));
        let started = Instant::now();
        let answer = persist(deadline, || async { Tried::<()>::Again("busy".into()) }).await;
        assert!(answer.unwrap_err().starts_with("busy (tried "));
        assert!(started.elapsed() <= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_try_is_cut_off_and_tried_again() {
        let mut tries = 0;
        let deadline = Deadline::after(Duration::from_secs(3));
        let answer = persist(deadline, || {
            tries += 1;
            let hangs = tries == 1;
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                Tried::Answered("late but sure")
            }
        });
        assert_eq!(answer.await, Ok("late but sure"));
        assert!(deadline.remaining() > Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_time_it_does_not_wait() {
        let answer =
            persist(Deadline::after(Duration::ZERO), || async { Tried::<()>::Again("busy".into()) }).await;
        assert!(answer.is_err());
    }
}
