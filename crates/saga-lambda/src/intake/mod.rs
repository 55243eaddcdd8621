//! Intakes: functions that take events from outside and start sagas.
//!
//! [`run`] is a whole function: it reads the messages of the intake's queue as events, has an [`IntakeService`] say which
//! saga each begins, and starts that once, however often the event comes. It holds events back while participants have more
//! to do than they get done in time, lets those wait that need another saga to have begun, and keeps what is refused with
//! every reason. `functions/order-intake` is one complete example.

mod begin;
mod brake;
mod event;
mod members;
mod problems;
mod refused;
mod start;
mod taking;
mod told;

use crate::{Error, Message, Variables, serve_queue};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub use begin::Begin;
pub use event::{Came, decode};
pub use members::Members;
pub use problems::{Problem, Problems};
pub use taking::Taking;

/// What an intake makes of its events, usually a unit struct. Pure: it is called again when an event comes again.
pub trait IntakeService: Send + Sync + 'static {
    /// Which sagas it starts.
    type Intake: saga::Intake;

    /// What is published. Members that it does not know should be ignored: the next release may have them.
    type Event: DeserializeOwned;

    /// The stable name of the queue that keeps what is refused; its URL is in [`saga::environment::queue`] of this name.
    const REFUSED_QUEUE: &'static str;

    /// The `event` of the log line for each event that is refused, for a metric filter.
    const REFUSED_EVENT: &'static str;

    /// The stable name of the queue of the function that tells notices: who is turned away because another has the id is
    /// told through it. See [`Begin::or_tell`].
    const NOTICES_QUEUE: &'static str;

    /// Which saga an event begins, and with what.
    ///
    /// # Errors
    /// Every reason why it begins none.
    fn begin(event: Self::Event) -> Result<Begin<Self::Intake>, Vec<Problem>>;

    /// Every reason why JSON that is no [`Event`](Self::Event) is none, by member; none where it is not even nearly one.
    /// [`Members`] helps to find them. Default: none, and what serde says is told instead.
    fn misfits(json: &Json) -> Vec<Problem> {
        let _ = json;
        Vec::new()
    }
}

/// Serves an intake: takes the events of its queue, and starts their sagas. Returns when Lambda ends the process.
///
/// # Errors
/// As [`crate::run`].
///
/// # Panics
/// As [`crate::run`].
pub fn run<S: IntakeService>() -> Result<(), Error> {
    let taking = Taking::<S>::from_variables(&Variables::of_process())?;
    let taking = &taking;
    serve_queue(async |message: &Message, deadline| taking.handle(message, deadline).await)
}
