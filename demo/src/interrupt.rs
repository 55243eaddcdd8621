//! Ctrl-C: the first stops the demo in good order, the second at once.

use std::process;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// What a shell expects of a program that Ctrl-C has ended.
pub(crate) const EXIT_CODE: u8 = 130;

/// Listens for Ctrl-C, and for being asked to end in other ways.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    seen: watch::Receiver<bool>,
}

impl Interrupt {
    /// Begins to listen. From then on a second signal ends the process at once. The emulator ends with it all the same:
    /// its launcher watches a pipe from this process. A build has been killed by then, for that takes no time.
    ///
    /// # Errors
    /// When signals cannot be listened for.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .map(signal)
            .into_iter()
            .collect::<std::io::Result<Vec<Signal>>>()?;
        let (tell, seen) = watch::channel(false);
        tokio::spawn(async move {
            any(&mut signals).await;
            // Nobody listens any more: the demo is at its end.
            let _ = tell.send(true);
            any(&mut signals).await;
            process::exit(EXIT_CODE.into());
        });
        Ok(Self { seen })
    }

    /// Waits for the first signal.
    pub(crate) async fn wait(mut self) {
        // The sender lives as long as the process.
        let _ = self.seen.wait_for(|seen| *seen).await;
    }
}

async fn any(signals: &mut [Signal]) {
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures::future::select_all(waits).await;
}
