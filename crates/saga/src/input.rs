//! How steps find their inputs by type among the values a saga holds.

use crate::{redact::redacted, tuples::all_the_tuples, value::Value};
use schemars::SchemaGenerator;
use serde_json::{Map, Value as Json, json};
use std::marker::PhantomData;

/// A tuple of up to 16 [`Value`]s: the input of a step or a notice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of up to 16 values, so it is no input of a step or a notice",
    label = "a tuple of up to 16 values is needed here",
    note = "an input is a tuple of types that are `saga::Value`, also when it is one: `(Order,)`, with the comma"
)]
pub trait Inputs: Sized + Send {
    /// The wire names, in order.
    const NAMES: &'static [&'static str];

    /// The most bytes its JSON form may have.
    const MAX_BYTES: usize;

    /// Its schema: an object with one member a value.
    fn schema(generator: &mut SchemaGenerator) -> Json;

    /// Reads it from an object with one member a value.
    ///
    /// # Errors
    /// Says which member is missing or does not fit, without what was given.
    fn decode(object: &Map<String, Json>) -> Result<Self, String>;
}

fn member<V: Value>(object: &Map<String, Json>) -> Result<V, String> {
    let name = V::NAME;
    let json = object.get(name).ok_or_else(|| format!("`input.{name}` is missing"))?;
    V::deserialize(json)
        .map_err(|error| format!("`input.{name}` does not fit: {}", redacted(&error.to_string())))
}

macro_rules! inputs {
    ($(($value:ident $_in:ident $_at:ident $_n:literal))*) => {
        impl<$($value: Value),*> Inputs for ($($value,)*) {
            const NAMES: &'static [&'static str] = &[$($value::NAME),*];
            // Each member costs its name, two quotes, a colon and a comma.
            const MAX_BYTES: usize = 2 $(+ $value::NAME.len() + 4 + $value::MAX_BYTES)*;

            fn schema(_generator: &mut SchemaGenerator) -> Json {
                let values: &[(&str, Json)] =
                    &[$(($value::NAME, _generator.subschema_for::<$value>().to_value())),*];
                let properties = Map::from_iter(values.iter().map(|(name, json)| ((*name).into(), json.clone())));
                json!({ "type": "object", "properties": properties, "required": Self::NAMES })
            }

            fn decode(_object: &Map<String, Json>) -> Result<Self, String> {
                Ok(($(member::<$value>(_object)?,)*))
            }
        }
    };
}

all_the_tuples! { inputs }

/// The empty list of values.
#[derive(Debug, Clone, Copy)]
pub struct Nil;

/// The list `Rest` with `V` added.
#[derive(Debug, Clone, Copy)]
pub struct With<V, Rest>(PhantomData<(V, Rest)>);

/// Found at the head of a list.
#[derive(Debug, Clone, Copy)]
pub enum Here {}

/// Found in the rest of a list, at `I`.
#[derive(Debug, Clone, Copy)]
pub struct There<I>(PhantomData<I>);

/// The list has `V` in it, at place `I`.
#[diagnostic::on_unimplemented(
    message = "no earlier step of this saga produces `{V}`",
    label = "`{V}` is needed here, and nothing before produces it",
    note = "add the step whose output is `{V}` before this one, or take the value out of the input of this one"
)]
pub trait Holds<V, I> {}

impl<V, Rest> Holds<V, Here> for With<V, Rest> {}
impl<V, Head, Rest, I> Holds<V, There<I>> for With<Head, Rest> where Rest: Holds<V, I> {}

/// The list has every value of the tuple `In`, at places `I`.
pub trait Provides<In, I> {}

macro_rules! provides {
    ($(($value:ident $_in:ident $place:ident $_n:literal))*) => {
        impl<List, $($value, $place),*> Provides<($($value,)*), ($($place,)*)> for List
        where
            $(List: Holds<$value, $place>,)*
        {
        }
    };
}

all_the_tuples! { provides }

/// A notice on compensation can carry these values: nothing, or the saga's input `In`.
#[diagnostic::on_unimplemented(
    message = "a notice on compensation can carry nothing but the saga's input, `{In}`",
    label = "the notice wants `{Self}`",
    note = "a compensated saga may have stopped before any step: take the other values out of the notice's input"
)]
pub trait Certain<In> {}

impl<In> Certain<In> for () {}
impl<In> Certain<In> for (In,) {}
