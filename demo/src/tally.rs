//! How many orders are where.

/// A count of the orders of this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All that are to be published.
    pub(crate) total: usize,
    /// Published so far.
    pub(crate) published: usize,
    /// Their executions have ended, whichever way.
    pub(crate) ended: usize,
    /// Of those, confirmed.
    pub(crate) committed: usize,
    /// Refused by the intake, so that no execution began.
    pub(crate) refused: usize,
}

impl Tally {
    /// Ended or refused.
    pub(crate) fn finished(&self) -> usize {
        (self.ended + self.refused).min(self.published)
    }

    /// Ended and not confirmed.
    pub(crate) fn compensated(&self) -> usize {
        self.ended.saturating_sub(self.committed)
    }

    /// Published and not finished.
    pub(crate) fn in_flight(&self) -> usize {
        self.published - self.finished()
    }

    /// How many may be published now, so that no more than `in_flight_max` are in flight.
    pub(crate) fn room(&self, in_flight_max: usize) -> usize {
        in_flight_max.saturating_sub(self.in_flight()).min(self.total - self.published)
    }

    /// Whether nothing is left to publish or to wait for.
    pub(crate) fn is_complete(&self) -> bool {
        self.finished() == self.total
    }

    /// The parts as text.
    pub(crate) fn parts(&self) -> String {
        let Self { committed, refused, .. } = self;
        let refused = if *refused == 0 { String::new() } else { format!(" · {refused} refused") };
        format!(
            "{committed} committed · {} compensated{refused} · {} in flight",
            self.compensated(),
            self.in_flight()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_fills_the_room_and_no_more() {
        let tally = Tally { total: 830, published: 300, ended: 40, committed: 30, refused: 1 };
        assert_eq!((tally.in_flight(), tally.compensated(), tally.room(300)), (259, 10, 41));
        let nearly = Tally { published: 820, ended: 800, ..tally };
        assert_eq!((nearly.room(300), nearly.is_complete()), (10, false));
        assert!(Tally { published: 830, ended: 829, ..tally }.is_complete());
    }

    #[test]
    fn counts_taken_at_different_moments_do_not_underflow() {
        let tally = Tally { total: 10, published: 2, ended: 3, committed: 4, refused: 0 };
        assert_eq!((tally.in_flight(), tally.compensated()), (0, 0));
    }
}
