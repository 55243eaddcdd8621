//! Derives for the contracts of a saga. They are re-exported by `saga` beside the traits, so one `use saga::Value` brings
//! both, and documented there, with an example each.
//!
//! A derive writes what one would write by hand, and nothing else: whatever it cannot say can be said by an `impl`. What it
//! is given it hands on as it stands, so what the compiler says of a type or a constant points at it.
#![forbid(unsafe_code)]

mod entity;
mod field_type;
mod helper;
mod names;
mod notice;
mod redacted;
mod rejection;
mod shape;
mod step;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// See `saga::Value`.
#[proc_macro_derive(Value, attributes(value))]
pub fn value(input: TokenStream) -> TokenStream {
    derive(input, value::expand)
}

/// See `saga::Rejection`.
#[proc_macro_derive(Rejection, attributes(rejection))]
pub fn rejection(input: TokenStream) -> TokenStream {
    derive(input, rejection::expand)
}

/// See `saga::Entity`.
#[proc_macro_derive(Entity, attributes(entity))]
pub fn entity(input: TokenStream) -> TokenStream {
    derive(input, entity::expand)
}

/// See `saga::FieldType`.
#[proc_macro_derive(FieldType, attributes(field))]
pub fn field_type(input: TokenStream) -> TokenStream {
    derive(input, field_type::expand)
}

/// See `saga::Step`.
#[proc_macro_derive(Step, attributes(step))]
pub fn step(input: TokenStream) -> TokenStream {
    derive(input, step::expand)
}

/// See `saga::Notice`.
#[proc_macro_derive(Notice, attributes(notice))]
pub fn notice(input: TokenStream) -> TokenStream {
    derive(input, notice::expand)
}

/// See `saga::Redacted`.
#[proc_macro_derive(Redacted, attributes(redact))]
pub fn redacted(input: TokenStream) -> TokenStream {
    derive(input, redacted::expand)
}

fn derive(
    input: TokenStream,
    expand: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
