//! How a saga behaves, seen from outside: the protocol, the runner, and what is sent and emitted.

#![allow(clippy::unwrap_used, reason = "a test panics where it is wrong")]

mod asl;
mod delivery;
mod derive;
mod exact;
mod fenced_off;
mod flow;
mod graph;
mod numbers;
mod protocol;
mod runner;
mod sixteen;
mod trip;
mod upgrade;
mod wire;
