//! What participants store, and whether a new release still finds it.
//!
//! Not seen: what the text of a field can be. A new variant of a type that is stored as text is no other kind.

use super::{Change, Incompatibility, Place};
use crate::entity::{EntitySpec, FieldKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An entity, as far as the next release must still find its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitySchema {
    /// Who owns it.
    pub participant: String,
    /// The key attribute.
    pub key: String,
    /// Every other attribute, and how it is stored.
    pub fields: BTreeMap<String, FieldKind>,
}

impl EntitySchema {
    pub(super) fn of(participant: &str, entity: &EntitySpec) -> Self {
        let fields = entity.fields.iter().map(|field| (field.name.to_owned(), field.kind)).collect();
        Self { participant: participant.to_owned(), key: entity.key.to_owned(), fields }
    }
}

/// Entities by name.
type Entities = BTreeMap<String, EntitySchema>;

/// What a new release would not find of what the deployed one has stored and recorded. New entities and fields are no
/// matter: what is not declared on an item stays as it is.
pub(super) fn lost(deployed: &Entities, here: &Entities) -> Vec<Incompatibility> {
    let mut found = Vec::new();
    for (name, old) in deployed {
        match here.get(name) {
            Some(new) => found.extend(changed(name, old, new)),
            None => {
                let looks_alike =
                    |(other, new): &(&String, &EntitySchema)| !deployed.contains_key(*other) && *new == old;
                let now = here.iter().find(looks_alike).map(|(other, _)| other.clone());
                let place = Place::Entity { entity: name.clone() };
                found.push(Incompatibility { place, change: Change::EntityGone { now } });
            }
        }
    }
    found
}

fn changed(name: &str, old: &EntitySchema, new: &EntitySchema) -> Vec<Incompatibility> {
    let mut changes = Vec::new();
    if old.participant != new.participant {
        let (deployed, here) = (old.participant.clone(), new.participant.clone());
        changes.push(Change::EntityMoved { deployed, here });
    }
    if old.key != new.key {
        changes.push(Change::Key { deployed: old.key.clone(), here: new.key.clone() });
    }
    let of_entity = changes.into_iter().map(|change| (Place::Entity { entity: name.to_owned() }, change));
    let of_fields = old.fields.iter().filter_map(|(field, kind)| {
        let change = match new.fields.get(field) {
            None => Change::FieldGone { now: renamed(old, new, *kind) },
            Some(now) if now != kind => Change::FieldKind { deployed: *kind, here: *now },
            Some(_) => return None,
        };
        Some((Place::Field { entity: name.to_owned(), field: field.clone() }, change))
    });
    of_entity.chain(of_fields).map(|(place, change)| Incompatibility { place, change }).collect()
}

/// What a field that is gone may be named now: the one new field that is stored alike.
fn renamed(old: &EntitySchema, new: &EntitySchema, kind: FieldKind) -> Option<String> {
    let mut alike = new.fields.iter().filter(|(name, now)| **now == kind && !old.fields.contains_key(*name));
    match (alike.next(), alike.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}
