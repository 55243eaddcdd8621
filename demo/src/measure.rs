//! How fast it was.

use crate::evidence::OrderEvidence;
use std::time::Duration;

/// Rates and latencies of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Measures {
    /// All orders with an execution, from the first publish to the last end.
    pub(crate) all: Rate,
    /// The same without those whose charge had to be delivered again.
    pub(crate) without_redeliveries: Rate,
    /// From the start of the execution to its end.
    pub(crate) execution: Latency,
    /// From the publish to the end of the execution.
    pub(crate) publish_to_end: Latency,
}

/// So many sagas in so much time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// How many.
    pub(crate) sagas: usize,
    /// In which time.
    pub(crate) duration: Duration,
}

impl Rate {
    /// Sagas per second.
    pub(crate) fn per_second(self) -> f64 {
        self.sagas as f64 / self.duration.as_secs_f64().max(0.001)
    }
}

/// Half of all took at most `p50`, 99 of 100 at most `p99`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Latency {
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
}

impl Measures {
    /// Measures the orders that have ended. Latencies are of those that did not wait for a redelivery: the others
    /// took as long as the queue hides a message.
    pub(crate) fn of(orders: &[OrderEvidence]) -> Self {
        let swift: Vec<&OrderEvidence> =
            orders.iter().filter(|order| !order.payment.waits_for_redelivery()).collect();
        let latency =
            |of: fn(&OrderEvidence) -> Option<Duration>| Latency::of(swift.iter().copied().filter_map(of));
        Self {
            all: rate(orders.iter()),
            without_redeliveries: rate(swift.iter().copied()),
            execution: latency(|order| {
                order.execution.and_then(|(start, end)| end.duration_since(start).ok())
            }),
            publish_to_end: latency(|order| order.execution?.1.duration_since(order.published).ok()),
        }
    }
}

fn rate<'a>(orders: impl Iterator<Item = &'a OrderEvidence> + Clone) -> Rate {
    let ended = orders.filter(|order| order.execution.is_some());
    let first = ended.clone().map(|order| order.published).min();
    let last = ended.clone().filter_map(|order| order.execution.map(|(_, end)| end)).max();
    let duration =
        first.zip(last).and_then(|(first, last)| last.duration_since(first).ok()).unwrap_or_default();
    Rate { sagas: ended.count(), duration }
}

impl Latency {
    /// By nearest rank.
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = durations.collect();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(place).copied().unwrap_or_default()
        };
        Self { p50: rank(50), p99: rank(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{evidence::Ending, plan::Payment};
    use std::time::SystemTime;

    fn order(payment: Payment, published: u64, start: u64, end: u64) -> OrderEvidence {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let execution = Some((at(start), at(end)));
        OrderEvidence {
            id: "o".into(),
            payment,
            published: at(published),
            execution,
            ending: Ending::Confirmed,
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let latency = Latency::of((1..=200).map(Duration::from_secs));
        assert_eq!(latency, Latency { p50: Duration::from_secs(100), p99: Duration::from_secs(198) });
        assert_eq!(Latency::of(std::iter::empty()), Latency::default());
    }

    #[test]
    fn orders_that_wait_for_a_redelivery_are_left_out_of_the_second_rate() {
        let orders = [
            order(Payment::Approve, 0, 1, 2),
            order(Payment::Decline, 2, 3, 10),
            order(Payment::Lossy, 1, 2, 100),
        ];
        let measures = Measures::of(&orders);
        assert_eq!(measures.all, Rate { sagas: 3, duration: Duration::from_secs(100) });
        assert_eq!(measures.without_redeliveries, Rate { sagas: 2, duration: Duration::from_secs(10) });
        assert_eq!(measures.publish_to_end.p99, Duration::from_secs(8));
        assert_eq!(Measures::of(&[]).all.per_second(), 0.0);
    }
}
