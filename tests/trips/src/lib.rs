//! Trips: a saga with what orders have none of, with real functions, for the end-to-end suite and the chaos test.
//!
//! | file | holds |
//! | --- | --- |
//! | `booking.rs` | the saga: a group of steps that run at the same time, and it begins with that; a step after the pivot that is needed, and one that can be skipped |
//! | `participants.rs` | who takes part |
//! | `entities.rs` | what the participants store |
//! | `services.rs` | their handlers |
//! | `bin/` | a function each |
//!
//! It is deployed by `system::trips` and shipped by nobody.
#![forbid(unsafe_code)]

pub mod booking;
pub mod entities;
pub mod participants;
pub mod services;
