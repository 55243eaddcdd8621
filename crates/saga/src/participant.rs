//! A participant as data: what the stacks and the schemas read.

use crate::{
    entity::{Entities, EntitySpec},
    step::Participant,
};

/// A participant, without its types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParticipantSpec {
    /// The participant's name.
    pub name: &'static str,
    /// The entities it owns.
    pub entities: &'static [EntitySpec],
}

impl ParticipantSpec {
    /// The participant `P` as data.
    pub fn of<P: Participant>() -> Self {
        Self { name: P::NAME, entities: P::Entities::SPECS }
    }
}
