//! `#[derive(Step)]`.

use crate::{
    helper::{Helper, Takes},
    names, shape,
};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, Result};

const STEP: Helper = Helper {
    name: "step",
    on: "the struct",
    arguments: &[
        ("name", Takes::Constant),
        ("participant", Takes::Type),
        ("kind", Takes::Type),
        ("input", Takes::Tuple),
        ("output", Takes::Type),
        ("rejection", Takes::Type),
        ("timeout", Takes::Constant),
        ("max_writes", Takes::Constant),
    ],
    example: "`#[step(participant = Inventory, kind = Compensable, input = (PlaceOrder,), output = Reservation, \
              timeout = Duration::from_mins(15))]`",
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, ident, .. } = input;
    shape::concrete(input, "Step")?;
    shape::mark(input, "a step")?;
    let given = STEP.read(attrs)?;
    let [participant, kind, inputs, output, timeout] =
        given.need(ident, ["participant", "kind", "input", "output", "timeout"])?;
    let name = given.get("name").cloned().unwrap_or_else(|| names::kebab(ident).into_token_stream());
    let rejection = given.get("rejection").cloned().unwrap_or_else(|| quote! { ::saga::Never });
    let max_writes = given.get("max_writes").map(|most| quote! { const MAX_WRITES: usize = #most; });
    Ok(quote! {
        #[automatically_derived]
        impl ::saga::Step for #ident {
            const NAME: &'static str = #name;
            type Participant = #participant;
            type Kind = #kind;
            type Input = #inputs;
            type Output = #output;
            type Rejection = #rejection;
            const TIMEOUT: ::core::time::Duration = #timeout;
            #max_writes
        }
    })
}
