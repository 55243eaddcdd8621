//! What a charge is, by its fence alone.

use saga::fence::Fence;

/// What a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// An order's charge.
    Kept,
    /// The saga has not decided about it.
    InFlight,
    /// The saga has not decided about it, and should have long ago: for people to look at.
    Unsettled,
    /// An operator went on without the step, and knows what became of the money.
    Abandoned,
    /// Its own fence is gone, so nothing says whether it was sold: for people to look at.
    FenceLost,
    /// It must not be there, and nothing can make it right any more.
    Orphan(Orphan),
}

/// Why a charge is an orphan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphan {
    /// The step was rejected.
    Rejected,
    /// The step was undone.
    Undone,
}

impl Orphan {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Undone => "undone",
        }
    }
}

/// Judges a charge by its own fence. `overdue`: it is so old that its saga must have decided.
pub fn judge(fence: Option<&Fence>, overdue: bool) -> Verdict {
    match fence {
        Some(Fence::Done { .. }) => Verdict::Kept,
        Some(Fence::Started) if overdue => Verdict::Unsettled,
        Some(Fence::Started) => Verdict::InFlight,
        Some(Fence::Abandoned { .. }) => Verdict::Abandoned,
        Some(Fence::Rejected(_)) => Verdict::Orphan(Orphan::Rejected),
        Some(Fence::Undone) => Verdict::Orphan(Orphan::Undone),
        None => Verdict::FenceLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{Refusal, fence::FenceState};
    use serde_json::json;

    #[test]
    fn every_fence_has_its_verdict() {
        let rejected = Fence::Rejected(Refusal { error: "PaymentDeclined".into(), cause: "{}".into() });
        let done = Fence::Done { output: json!(7), inverse: Vec::new() };
        let abandoned = |was| Some(Fence::Abandoned { was });
        let cases = [
            (Some(done), Verdict::Kept),
            (Some(rejected), Verdict::Orphan(Orphan::Rejected)),
            (Some(Fence::Undone), Verdict::Orphan(Orphan::Undone)),
            (abandoned(None), Verdict::Abandoned),
            (abandoned(Some(FenceState::Undone)), Verdict::Abandoned),
            (None, Verdict::FenceLost),
        ];
        for (fence, verdict) in cases {
            for overdue in [false, true] {
                assert_eq!(judge(fence.as_ref(), overdue), verdict, "{fence:?}");
            }
        }
        assert_eq!(judge(Some(&Fence::Started), false), Verdict::InFlight);
        assert_eq!(judge(Some(&Fence::Started), true), Verdict::Unsettled);
    }
}
