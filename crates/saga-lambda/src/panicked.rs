//! Panics: each stays with the message whose handler it is, and is told by its place only.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::Once,
    task::Poll,
};

#[cfg(all(panic = "abort", not(test)))]
compile_error!(
    "a function must unwind, or one message whose handler panics takes its whole batch with it: write \
     `panic = \"unwind\"` in `[profile.release]` of Cargo.toml; where nothing is written, cargo-lambda takes `abort`"
);

/// A handler panicked. Never says with which message: it can quote what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the handler panicked at {place}")]
pub(crate) struct Panicked {
    /// File, line and column.
    place: String,
}

thread_local! {
    /// Whether this thread is within [`caught`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic was that is caught.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does the work, and stops it where it panics.
///
/// What it was doing in the store is safe to stop anywhere: fence and writes are one transaction.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    keep_places();
    let mut work = pin!(work);
    poll_fn(|cx| {
        let outer = CATCHING.replace(true);
        let polled = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        CATCHING.set(outer);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => {
                let place = PLACE.take().unwrap_or_else(|| "an unknown place".into());
                Poll::Ready(Err(Panicked { place }))
            }
        }
    })
    .await
}

/// Has every panic of this process that nobody catches (on a thread that a handler began, say) told in one line of the
/// log by its place, and not printed with its message.
pub(crate) fn tell_places() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(outcome = "panicked", place, "not caught");
    }));
}

/// Has the place of a panic kept, where it is caught, instead of its message printed.
fn keep_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let otherwise = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if CATCHING.get() {
                PLACE.set(panic.location().map(ToString::to_string));
            } else {
                otherwise(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log;
    use std::{env, process::Command};

    #[tokio::test]
    async fn a_panic_is_told_by_its_place_and_not_by_its_message() {
        let line = line!() + 1;
        let panicked = caught::<()>(async { panic!("nancy@example.com") }).await;
        let told = panicked.unwrap_err().to_string();
        assert!(told.starts_with(&format!("the handler panicked at {}:{line}:", file!())), "{told}");
        assert!(!told.contains("nancy"), "{told}");
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }

    /// In a process of its own, for it has logs and panics of a whole process.
    #[test]
    fn a_panic_that_is_not_caught_is_logged_by_its_place_and_not_by_its_message() {
        const ALONE: &str = "FLYOVER_TEST_ALONE";
        if env::var_os(ALONE).is_some() {
            log::start();
            panic!("nancy@example.com");
        }
        let name =
            "panicked::tests::a_panic_that_is_not_caught_is_logged_by_its_place_and_not_by_its_message";
        let mut alone = Command::new(env::current_exe().unwrap());
        let output = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(&format!("\"place\":\"{}:", file!())), "{text}");
        assert!(!text.contains("nancy"), "{text}");
    }
}
