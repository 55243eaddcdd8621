//! Whether a new release understands what the deployed one has in flight.

use super::{
    Change, EnvelopeSchemas, Incompatibility, NoticeSchemas, Place, SagaSchemas, Schemas, StepSchemas,
    entities,
    exact::as_kept,
    subset::{Mismatch, mismatches},
};
use crate::{definition::Kind, message::OLDEST_WIRE_VERSION};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// What a new release would not understand of what the deployed one has in flight, in a stable order. Empty: every
/// message, recorded output, recorded rejection and stored item of the deployed release is understood.
///
/// Compatible are new sagas, steps, notices and rejections, new members that need not be there, members that are not
/// looked at any more, wider types, new entities and new fields. Whatever else a value was, it must still be readable.
#[must_use]
pub fn incompatibilities(deployed: &Schemas, here: &Schemas) -> Vec<Incompatibility> {
    let mut found = envelope(&deployed.envelope, &here.envelope);
    for (name, old) in &deployed.sagas {
        match here.sagas.get(name) {
            Some(new) => found.extend(Comparison::of(name, old, new)),
            None => {
                found.push(Incompatibility {
                    place: Place::Saga { saga: name.clone() },
                    change: Change::Gone,
                });
            }
        }
    }
    found.extend(entities::lost(&deployed.entities, &here.entities));
    found
}

fn envelope(old: &EnvelopeSchemas, new: &EnvelopeSchemas) -> Vec<Incompatibility> {
    let mut found = Vec::new();
    // This release reads some older versions too, whose schemas are compared all the same.
    if !(OLDEST_WIRE_VERSION..=new.v).contains(&old.v) {
        let place = Place::Envelope { message: "request", path: "$.v".into() };
        found.push(Incompatibility { place, change: Change::Version { deployed: old.v, here: new.v } });
    }
    let read_here = [
        ("start", &old.start, &new.start),
        ("request", &old.request, &new.request),
        ("notice", &old.notice, &new.notice),
        ("inverse", &old.inverse, &new.inverse),
    ];
    for (message, old_schema, new_schema) in read_here {
        for Mismatch { path, why } in
            mismatches((old_schema, &old.definitions), (new_schema, &new.definitions))
        {
            found.push(Incompatibility {
                place: Place::Envelope { message, path },
                change: Change::read_here(why),
            });
        }
    }
    // An answer goes the other way: this release writes it, and executions in flight read it.
    let written = (&new.settle_reply, &new.definitions);
    for Mismatch { path, why } in mismatches(written, (&old.settle_reply, &old.definitions)) {
        let place = Place::Envelope { message: "settle_reply", path };
        found.push(Incompatibility { place, change: Change::read_in_flight(why) });
    }
    found
}

struct Comparison<'a> {
    saga: &'a str,
    old: &'a SagaSchemas,
    new: &'a SagaSchemas,
    /// What the deployed values refer to, as far as it can have been written.
    kept: BTreeMap<String, Json>,
    found: Vec<Incompatibility>,
}

impl<'a> Comparison<'a> {
    fn of(saga: &'a str, old: &'a SagaSchemas, new: &'a SagaSchemas) -> Vec<Incompatibility> {
        let kept = old.definitions.iter().map(|(name, schema)| (name.clone(), as_kept(schema))).collect();
        let mut comparison = Self { saga, old, new, kept, found: Vec::new() };
        comparison.input();
        comparison.first();
        for (name, old) in &old.steps {
            comparison.step(name, old);
        }
        for (name, old) in &old.notices {
            comparison.notice(name, old);
        }
        comparison.after_pivot();
        comparison.found
    }

    /// A saga that is past its pivot is settled under the new definition. Nothing runs a step before the pivot for it any
    /// more, so what is new after the pivot must do without the outputs of those.
    fn after_pivot(&mut self) {
        let (old, new) = (self.old, self.new);
        let is_new = |(name, _): &(&String, &StepSchemas)| !old.steps.contains_key(*name);
        let before_pivot =
            |step: &StepSchemas| matches!(step.kind, Kind::Compensable | Kind::CompensableOutside);
        let added = new.steps.iter().filter(is_new);
        let never_run: BTreeMap<&str, &String> = added
            .clone()
            .filter(|(_, step)| before_pivot(step))
            .map(|(name, step)| (step.output_value.as_str(), name))
            .collect();
        let of_step = |name: &String| Place::Step { saga: self.saga.into(), step: name.clone() };
        let steps = added.filter(|(_, step)| step.kind == Kind::Retriable);
        let steps = steps.map(|(name, step)| (of_step(name), &step.input));
        let of_notice = |name: &String| Place::Notice { saga: self.saga.into(), notice: name.clone() };
        let notices = new.notices.iter().filter(|(name, _)| !old.notices.contains_key(*name));
        let notices = notices.map(|(name, notice)| (of_notice(name), &notice.input));
        for (place, input) in steps.chain(notices) {
            let values = input["properties"].as_object().into_iter().flat_map(Map::keys);
            for (value, step) in values.filter_map(|value| Some((value, *never_run.get(value.as_str())?))) {
                let change = Change::NeverRun { value: value.clone(), step: step.clone() };
                self.found.push(Incompatibility { place: place.clone(), change });
            }
        }
    }

    fn input(&mut self) {
        let (old, new) = (self.old, self.new);
        let place = Place::Saga { saga: self.saga.into() };
        self.name(&place, "input", &old.input_value, &new.input_value);
        self.value(&old.input_value, &old.input, &new.input, "input of the saga");
    }

    /// Who settles for an execution asks the steps that every run begins with whose the saga id is. What the run that has it
    /// began with must be among them.
    fn first(&mut self) {
        let (old, new) = (&self.old.first, &self.new.first);
        if old.iter().any(|step| !new.contains(step)) {
            let change = Change::Begins { deployed: old.join(" + "), here: new.join(" + ") };
            let place = Place::Saga { saga: self.saga.into() };
            self.found.push(Incompatibility { place, change });
        }
    }

    fn step(&mut self, name: &str, old: &StepSchemas) {
        let place = Place::Step { saga: self.saga.into(), step: name.into() };
        let Some(new) = self.new.steps.get(name) else {
            return self.found.push(Incompatibility { place, change: Change::Gone });
        };
        if old.participant != new.participant {
            let change = Change::Moved { deployed: old.participant.clone(), here: new.participant.clone() };
            self.found.push(Incompatibility { place: place.clone(), change });
        }
        if old.kind != new.kind {
            let change =
                Change::Kind { deployed: format!("{:?}", old.kind), here: format!("{:?}", new.kind) };
            self.found.push(Incompatibility { place: place.clone(), change });
        }
        self.inputs(&place, &old.input, &new.input, &format!("input of step `{name}`"));
        self.name(&place, "output", &old.output_value, &new.output_value);
        self.value(&old.output_value, &old.output, &new.output, &format!("output of step `{name}`"));
        self.rejections(name, &place, old, new);
    }

    fn notice(&mut self, name: &str, old: &NoticeSchemas) {
        let place = Place::Notice { saga: self.saga.into(), notice: name.into() };
        match self.new.notices.get(name) {
            Some(new) => self.inputs(&place, &old.input, &new.input, &format!("in notice `{name}`")),
            None => self.found.push(Incompatibility { place, change: Change::Gone }),
        }
    }

    fn name(&mut self, place: &Place, what: &'static str, old: &str, new: &str) {
        if old != new {
            let change = Change::Renamed { what, deployed: old.into(), here: new.into() };
            self.found.push(Incompatibility { place: place.clone(), change });
        }
    }

    /// The values that a step or notice reads.
    fn inputs(&mut self, place: &Place, old: &Json, new: &Json, user: &str) {
        let none = Map::new();
        let old = old["properties"].as_object().unwrap_or(&none);
        for (name, new) in new["properties"].as_object().unwrap_or(&none) {
            match old.get(name) {
                Some(old) => self.value(name, old, new, user),
                None => {
                    let change = Change::NeedsValue { value: name.clone() };
                    self.found.push(Incompatibility { place: place.clone(), change });
                }
            }
        }
    }

    /// A value is found wherever it is used; it is told once.
    fn value(&mut self, name: &str, old: &Json, new: &Json, user: &str) {
        let old = (&as_kept(old), &self.kept);
        for Mismatch { path, why } in mismatches(old, (new, &self.new.definitions)) {
            let change = Change::read_here(why);
            let told = self.found.iter_mut().filter(|told| told.change == change);
            if !Place::add_user(told.map(|told| &mut told.place), name, &path, user) {
                let place = Place::of_value(self.saga, name, user, path);
                self.found.push(Incompatibility { place, change });
            }
        }
    }

    fn rejections(&mut self, step: &str, place: &Place, old: &StepSchemas, new: &StepSchemas) {
        let there: BTreeSet<_> = new.rejections.iter().collect();
        for rejection in old.rejections.iter().filter(|name| !there.contains(name)) {
            let change = Change::RejectionGone { rejection: rejection.clone() };
            self.found.push(Incompatibility { place: place.clone(), change });
        }
        // When all are gone, their names say so.
        if new.rejections.is_empty() {
            return;
        }
        let (old, new) = ((&old.rejection, &self.old.definitions), (&new.rejection, &self.new.definitions));
        for Mismatch { path, why } in mismatches(old, new) {
            let place = Place::Rejection { saga: self.saga.into(), step: step.into(), path };
            self.found.push(Incompatibility { place, change: Change::read_here(why) });
        }
    }
}
