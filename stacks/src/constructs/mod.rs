//! What stacks are made of more than once, each with its safe settings.

pub(crate) mod consumer;
pub(crate) mod function;
pub(crate) mod participant;
pub(crate) mod queue;
pub(crate) mod scheduled;
pub(crate) mod senders;
pub(crate) mod state_machine;
pub(crate) mod table;
pub(crate) mod topic;
