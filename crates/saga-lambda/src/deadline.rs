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

/// A call that can be carried out twice and has the effect of one: it reads, it is guarded, or it has a key by which it
/// is recognised. What a try that was given up did or did not do is then no matter. Look whether that is so before you
/// write this; what is not so, such as a text message, goes through [`once`].
#[derive(Debug)]
pub struct Repeatable<A>(pub A);

/// Why a call that is not to be repeated has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It was not carried out: 'not now', or it was never sent.
    #[error("{0}")]
    NotNow(String),
    /// It was carried out, or it was not.
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
}

/// The longest wait for one answer of a call that is repeatable. AWS answers in milliseconds; what takes longer than this
/// is a lost connection.
const LONGEST_TRY: Duration = Duration::from_secs(2);
/// The least time for a call that is not repeatable: with less, its outcome would likely stay unknown.
const LEAST_TIME: Duration = Duration::from_secs(1);
/// The ceiling of the first pause; it doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The ceiling of every pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Tries until there is an answer or no time is left, pausing with exponential backoff and full jitter. A slow answer is
/// given up and the call made again.
///
/// # Errors
/// Why there was no answer in the end.
pub async fn persist<T, A, F>(deadline: Deadline, Repeatable(mut attempt): Repeatable<A>) -> Result<T, String>
where
    A: FnMut() -> F + Send,
    F: Future<Output = Tried<T>> + Send,
{
    let mut pauses = Pauses::new();
    for tries in 1_u32.. {
        // Half of what is left: a hung connection leaves time for a second try.
        let limit = LONGEST_TRY.min(deadline.remaining() / 2);
        let why = match timeout(limit, attempt().boxed()).await {
            Ok(Tried::Answered(answer)) => return Ok(answer),
            Ok(Tried::Again(why)) => why,
            Err(_) => format!("no answer within {} ms", limit.as_millis()),
        };
        let pause = pauses.next();
        if pause >= deadline.remaining() {
            return Err(format!("{why} (tried {tries} times)"));
        }
        sleep(pause).await;
    }
    Err("tried too often".into())
}

/// Makes a call that is not to be repeated: again only while it is refused with 'not now', with pauses like those of
/// [`persist`]. An answer is waited for as long as there is time, and what is unknown is left unknown.
///
/// # Errors
/// Why there was no answer in the end, and whether the call may have been carried out.
pub async fn once<T, F>(deadline: Deadline, mut attempt: impl FnMut() -> F + Send) -> Result<T, Unanswered>
where
    F: Future<Output = Result<T, Unanswered>> + Send,
{
    let mut pauses = Pauses::new();
    let mut why = "the time of the function is used up".to_owned();
    loop {
        let limit = deadline.remaining();
        if limit < LEAST_TIME {
            return Err(Unanswered::NotNow(why));
        }
        why = match timeout(limit, attempt().boxed()).await {
            Ok(Err(Unanswered::NotNow(why))) => why,
            Ok(known) => return known,
            Err(_) => return Err(Unanswered::Unknown(format!("no answer within {} ms", limit.as_millis()))),
        };
        sleep(pauses.next().min(deadline.remaining())).await;
    }
}

/// Exponential backoff with full jitter.
struct Pauses {
    ceiling: Duration,
}

impl Pauses {
    fn new() -> Self {
        Self { ceiling: FIRST_PAUSE }
    }

    fn next(&mut self) -> Duration {
        let pause = self.ceiling.mul_f64(fastrand::f64());
        self.ceiling = (self.ceiling * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_tries_until_there_is_an_answer() {
        let mut tries = 0;
        let deadline = Deadline::after(Duration::from_secs(3));
        let answer = persist(
            deadline,
            Repeatable(|| {
                tries += 1;
                let tried = if tries < 4 { Tried::Again("busy".into()) } else { Tried::Answered(tries) };
                async { tried }
            }),
        );
        assert_eq!(answer.await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_in_time_and_says_why() {
        let deadline = Deadline::after(Duration::from_secs(3));
        let started = Instant::now();
        let answer = persist(deadline, Repeatable(|| async { Tried::<()>::Again("busy".into()) })).await;
        assert!(answer.unwrap_err().starts_with("busy (tried "));
        assert!(started.elapsed() <= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_try_is_cut_off_and_tried_again() {
        let mut tries = 0;
        let deadline = Deadline::after(Duration::from_secs(3));
        let answer = persist(
            deadline,
            Repeatable(|| {
                tries += 1;
                let hangs = tries == 1;
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Tried::Answered("late but sure")
                }
            }),
        );
        assert_eq!(answer.await, Ok("late but sure"));
        assert!(deadline.remaining() > Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_time_it_does_not_wait() {
        let busy = Repeatable(|| async { Tried::<()>::Again("busy".into()) });
        assert!(persist(Deadline::after(Duration::ZERO), busy).await.is_err());
    }

    /// How often `once` tries what has these outcomes, one after another, and what comes of it.
    async fn made_once(
        outcomes: &[Result<&'static str, Unanswered>],
    ) -> (usize, Result<&'static str, Unanswered>) {
        let mut tries = 0;
        let made = once(Deadline::after(Duration::from_secs(9)), || {
            tries += 1;
            let outcome = outcomes.get(tries - 1).cloned();
            async { outcome.unwrap_or_else(|| Err(Unanswered::NotNow("busy".into()))) }
        });
        let made = made.await;
        (tries, made)
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_not_done_is_tried_again_where_it_must_be_done_once() {
        let not_now = Err(Unanswered::NotNow("busy".into()));
        let unknown = Err(Unanswered::Unknown("the connection broke".into()));
        assert_eq!(made_once(&[not_now.clone(), not_now.clone(), Ok("done")]).await, (3, Ok("done")));
        assert_eq!(made_once(&[not_now.clone(), unknown.clone(), Ok("done")]).await, (2, unknown));
        let (tries, made) = made_once(&[]).await;
        assert!(tries > 3, "{tries}");
        assert_eq!(made, not_now);
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_be_done_once_is_waited_for_to_the_end() {
        let deadline = Deadline::after(Duration::from_secs(9));
        let slow = once(deadline, || async {
            sleep(Duration::from_secs(8)).await;
            Ok("slow but sure")
        });
        assert_eq!(slow.await, Ok("slow but sure"));
        let mut tries = 0;
        let never = once(Deadline::after(Duration::from_secs(9)), || {
            tries += 1;
            std::future::pending::<Result<(), _>>()
        });
        assert_eq!(never.await, Err(Unanswered::Unknown("no answer within 9000 ms".into())));
        assert_eq!(tries, 1);
        let late = once(Deadline::after(Duration::from_millis(999)), || async { Ok(()) });
        assert!(matches!(late.await, Err(Unanswered::NotNow(_))));
    }
}
