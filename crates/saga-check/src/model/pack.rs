//! A state as bytes: most of its numbers are small.

use super::state::{Flight, Mark, State};

/// The marks, by the number that stands for each.
const MARKS: [Mark; 4] = [Mark::Live, Mark::Adrift, Mark::Dead, Mark::Redriven];

/// Faults and retries share a byte.
const HALF: u8 = 16;

impl State {
    /// Appends its bytes. Equal states have equal bytes, and no other state has them.
    pub(crate) fn pack(&self, bytes: &mut Vec<u8>) {
        let Self { runs, stores, flights, peer, parked, notices, verdict, .. } = self;
        bytes.push(self.faults.min(HALF - 1) * HALF + self.retries.min(HALF - 1));
        bytes.push(self.flags);
        for number in [self.expired, self.blind] {
            pack(u32::from(number), bytes);
        }
        for ids in [runs, stores] {
            pack(count(ids.len()), bytes);
            ids.iter().for_each(|id| pack(*id, bytes));
        }
        [peer, parked, notices, verdict].into_iter().for_each(|id| pack(*id, bytes));
        pack(count(flights.len()), bytes);
        for Flight { message, process, token, receives, mark } in flights {
            pack(*message, bytes);
            // Most are in their queues: 0.
            pack(process.wrapping_add(1), bytes);
            let mark = MARKS.iter().position(|other| other == mark).unwrap_or_default();
            bytes.extend([*token, receives * 4 + u8::try_from(mark).unwrap_or_default()]);
        }
    }

    /// Takes a state from the bytes that [`pack`](Self::pack) made.
    pub(crate) fn unpack(bytes: &mut &[u8]) -> Self {
        let counts = byte(bytes);
        let flags = byte(bytes);
        let mut small = || u16::try_from(unpack(bytes)).unwrap_or_default();
        let (expired, blind) = (small(), small());
        let mut ids = || (0..unpack(bytes)).map(|_| unpack(bytes)).collect();
        let (runs, stores) = (ids(), ids());
        let mut id = || unpack(bytes);
        let (peer, parked, notices, verdict) = (id(), id(), id(), id());
        let flight = |bytes: &mut &[u8]| {
            let (message, process) = (unpack(bytes), unpack(bytes).wrapping_sub(1));
            let (token, rest) = (byte(bytes), byte(bytes));
            let mark = MARKS[usize::from(rest % 4)];
            Flight { message, process, token, receives: rest / 4, mark }
        };
        let flights = (0..unpack(bytes)).map(|_| flight(bytes)).collect();
        let (faults, retries) = (counts / HALF, counts % HALF);
        Self { runs, stores, flights, peer, parked, notices, verdict, faults, retries, flags, expired, blind }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn pack(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 1 << 7 {
        bytes.push((number & 0x7f) as u8 | 1 << 7);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn unpack(bytes: &mut &[u8]) -> u32 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let next = byte(bytes);
        number |= u32::from(next & 0x7f) << shift;
        if next < 1 << 7 {
            break;
        }
    }
    number
}

/// What was packed is there.
fn byte(bytes: &mut &[u8]) -> u8 {
    let Some((first, rest)) = bytes.split_first() else { return 0 };
    *bytes = rest;
    *first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{QUEUED, VOID};
    use smallvec::smallvec;

    #[test]
    fn a_state_is_read_again() {
        let flight = Flight { message: 300, process: QUEUED, token: VOID, receives: 2, mark: Mark::Redriven };
        let state = State {
            runs: smallvec![0, 70_000],
            stores: smallvec![1, 2, u32::MAX],
            flights: smallvec![flight, Flight { process: 0, mark: Mark::Adrift, ..flight }],
            peer: 127,
            parked: 128,
            notices: 0,
            verdict: 5,
            faults: 3,
            retries: 1,
            flags: 2,
            expired: 1 << 13,
            blind: 0,
        };
        let mut bytes = Vec::new();
        state.pack(&mut bytes);
        state.pack(&mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(State::unpack(&mut rest), state);
        assert_eq!(State::unpack(&mut rest), state);
        assert!(rest.is_empty());
    }
}
