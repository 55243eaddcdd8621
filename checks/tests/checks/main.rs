//! The order saga under every failure, and the checker under deliberate mistakes.

mod bugs;
mod exhaustive;
mod machines;
mod measured;
mod teeth;
