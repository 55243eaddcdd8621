//! What a handler says about one item.
#![allow(
    clippy::needless_pass_by_value,
    reason = "handlers pass freshly made values; `&` before each would be noise"
)]

use super::writes::{Pending, Writes};
use crate::{
    entity::{Entity, Field, FieldType, NumberType},
    rejection::{Refusal, Rejection},
    write::{Addition, Condition, RowKey},
};
use std::marker::PhantomData;

/// Changes of one item. Every method returns it again, so that changes can be chained.
#[derive(Debug)]
pub struct Update<'a, R, E> {
    writes: &'a mut Writes<R>,
    key: RowKey,
    entity: PhantomData<E>,
}

impl<'a, R, E> Update<'a, R, E> {
    pub(super) fn new(writes: &'a mut Writes<R>, key: RowKey) -> Self {
        Self { writes, key, entity: PhantomData }
    }
}

impl<'a, R: Rejection, E: Entity> Update<'a, R, E> {
    /// Adds to a number. While the field is no number, or the sum is none that its type can hold, the step is retried.
    pub fn add<T: NumberType>(mut self, field: Field<E, T>, n: T) -> Self {
        let name = self.declared(field);
        self.writes.add(&self.key, name, addition::<T>(n.into()));
        self
    }

    /// Subtracts from a number, which must be at least as large: say what it means if it is not.
    pub fn subtract<T: NumberType>(mut self, field: Field<E, T>, n: T::Amount) -> GuardedUpdate<'a, R, E> {
        let n: u64 = n.into();
        // What has no opposite among 64 bits cannot be taken back. As what is added, it is refused.
        let subtracted = addition::<T>(i64::try_from(n).map_or(i64::MIN, |n| -n));
        let pending = Pending::Subtract(self.key.clone(), self.declared(field), subtracted);
        GuardedUpdate { update: self, pending }
    }

    /// Replaces a field, whatever it is. Prefer [`transition`](Self::transition): its inverse needs no read.
    pub fn set<T: FieldType>(mut self, field: Field<E, T>, value: impl Into<T>) -> Self {
        let name = self.declared(field);
        self.writes.set(&self.key, name, value.into().to_scalar());
        self
    }

    /// Moves a field from one value to another. It must be at the first: say what it means if it is not.
    pub fn transition<T: FieldType>(mut self, field: Field<E, T>, from: T, to: T) -> GuardedUpdate<'a, R, E> {
        let pending =
            Pending::Transition(self.key.clone(), self.declared(field), from.to_scalar(), to.to_scalar());
        GuardedUpdate { update: self, pending }
    }

    /// Requires the item to exist. It must anyway; this says what it means if it does not.
    pub fn exists(self) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Check(self.key.clone(), Condition::Exists);
        GuardedUpdate { update: self, pending }
    }

    /// Requires a number of at least `n`.
    pub fn at_least<T: NumberType>(mut self, field: Field<E, T>, n: T) -> GuardedUpdate<'a, R, E> {
        let pending =
            Pending::Check(self.key.clone(), Condition::AtLeast(self.declared(field).into(), n.into()));
        GuardedUpdate { update: self, pending }
    }

    /// Requires a number of at most `n`.
    pub fn at_most<T: NumberType>(mut self, field: Field<E, T>, n: T) -> GuardedUpdate<'a, R, E> {
        let pending =
            Pending::Check(self.key.clone(), Condition::AtMost(self.declared(field).into(), n.into()));
        GuardedUpdate { update: self, pending }
    }

    /// Requires a field to have a value.
    pub fn equals<T: FieldType>(mut self, field: Field<E, T>, value: T) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Check(
            self.key.clone(),
            Condition::Equals(self.declared(field).into(), value.to_scalar()),
        );
        GuardedUpdate { update: self, pending }
    }

    /// The name of a field, of which it is noted when the entity does not declare it.
    fn declared<T: FieldType>(&mut self, field: Field<E, T>) -> &'static str {
        self.writes.declared::<E>(field.name(), Some(T::KIND));
        field.name()
    }
}

/// A guarded change of one item that waits to be told what a failed guard means.
#[derive(Debug)]
#[must_use = "say what it means when the guard fails: `.or_reject(..)` or `.or_retry()`"]
pub struct GuardedUpdate<'a, R, E> {
    update: Update<'a, R, E>,
    pending: Pending,
}

impl<'a, R: Rejection, E: Entity> GuardedUpdate<'a, R, E> {
    /// A failed guard rejects the step.
    pub fn or_reject(self, rejection: R) -> Update<'a, R, E> {
        self.update.writes.apply(self.pending, Some(Refusal::of(&rejection)));
        self.update
    }

    /// A failed guard is no answer: the step is retried, like after any other failure.
    pub fn or_retry(self) -> Update<'a, R, E> {
        self.update.writes.apply(self.pending, None);
        self.update
    }
}

/// An insert or a delete that waits to be told what a failed guard means.
#[derive(Debug)]
#[must_use = "say what it means when the guard fails: `.or_reject(..)` or `.or_retry()`"]
pub struct Guarded<'a, R> {
    writes: &'a mut Writes<R>,
    pending: Pending,
}

impl<'a, R> Guarded<'a, R> {
    pub(super) fn new(writes: &'a mut Writes<R>, pending: Pending) -> Self {
        Self { writes, pending }
    }
}

impl<R: Rejection> Guarded<'_, R> {
    /// A failed guard rejects the step.
    pub fn or_reject(self, rejection: R) {
        self.writes.apply(self.pending, Some(Refusal::of(&rejection)));
    }

    /// A failed guard is no answer: the step is retried, like after any other failure.
    pub fn or_retry(self) {
        self.writes.apply(self.pending, None);
    }
}

fn addition<T: NumberType>(n: i64) -> Addition {
    Addition { n, least: T::LEAST, most: T::MOST }
}
