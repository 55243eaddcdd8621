//! A consumer of notices as data: what synth checks and its function knows.

/// A function that is told how sagas end, and of which of their notices it makes something.
///
/// Every notice of a deployment comes to it. What it does not handle is another consumer's, or for others who subscribe to
/// the topic; synth refuses a notice that is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeConsumer {
    /// The function's name.
    pub name: &'static str,
    /// The wire names of the notices that it handles.
    pub handles: &'static [&'static str],
}

impl NoticeConsumer {
    /// Whether it handles the notice of this wire name.
    pub fn handles(&self, notice: &str) -> bool {
        self.handles.contains(&notice)
    }
}
