//! The order saga under every failure, and the checker under deliberate mistakes.

mod bugs;
mod edges;
mod exhaustive;
mod machines;
mod measured;
mod teeth;
