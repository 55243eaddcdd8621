//! What a charge is, by its fence alone.

use saga::fence::Fence;
use std::time::Duration;

/// What a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// An order's charge.
    Kept,
    /// The saga has not decided about it.
    InFlight,
    /// The saga has not decided about it, and should have long ago.
    Unsettled,
    /// It must not be there, and nothing can make it right any more.
    Orphan,
    /// An operator went on without the step, and knows what became of the money.
    Abandoned,
    /// Nobody claims it: it is an orphan once nobody can claim it any more.
    Unclaimed,
}

/// Judges a charge of this age by its fence. `longest`: how long a saga can take to decide.
pub fn judge(fence: Option<&Fence>, age: Duration, longest: Duration) -> Verdict {
    match fence {
        Some(Fence::Done { .. }) => Verdict::Kept,
        Some(Fence::Started) if age > longest => Verdict::Unsettled,
        Some(Fence::Started) => Verdict::InFlight,
        Some(Fence::Rejected(_) | Fence::Undone) => Verdict::Orphan,
        Some(Fence::Abandoned { .. }) => Verdict::Abandoned,
        None => Verdict::Unclaimed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::Refusal;
    use serde_json::json;

    #[test]
    fn every_fence_has_its_verdict() {
        let (young, longest, old) = (Duration::from_secs(60), Duration::from_secs(600), Duration::MAX);
        let rejected = Fence::Rejected(Refusal { error: "PaymentDeclined".into(), cause: "{}".into() });
        let done = Fence::Done { output: json!(7), inverse: Vec::new() };
        let cases = [
            (Some(done), Verdict::Kept, Verdict::Kept),
            (Some(Fence::Started), Verdict::InFlight, Verdict::Unsettled),
            (Some(rejected), Verdict::Orphan, Verdict::Orphan),
            (Some(Fence::Undone), Verdict::Orphan, Verdict::Orphan),
            (Some(Fence::Abandoned { was: None }), Verdict::Abandoned, Verdict::Abandoned),
            (None, Verdict::Unclaimed, Verdict::Unclaimed),
        ];
        for (fence, when_young, when_old) in cases {
            assert_eq!(judge(fence.as_ref(), young, longest), when_young, "{fence:?}");
            assert_eq!(judge(fence.as_ref(), longest, longest), when_young, "{fence:?}");
            assert_eq!(judge(fence.as_ref(), old, longest), when_old, "{fence:?}");
        }
    }
}
