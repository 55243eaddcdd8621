//! `#[derive(Notice)]`.

use crate::{
    helper::{Helper, Takes},
    names, shape,
};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, Result};

const NOTICE: Helper = Helper {
    name: "notice",
    on: "the struct",
    arguments: &[("name", Takes::Constant), ("input", Takes::Tuple)],
    example: "`#[notice(input = (PlaceOrder,))]`",
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, ident, .. } = input;
    shape::concrete(input, "Notice")?;
    shape::mark(input, "a notice")?;
    let given = NOTICE.read(attrs)?;
    let [inputs] = given.need(ident, ["input"])?;
    let name = given.get("name").cloned().unwrap_or_else(|| names::same(ident).into_token_stream());
    Ok(quote! {
        #[automatically_derived]
        impl ::saga::Notice for #ident {
            const NAME: &'static str = #name;
            type Input = #inputs;
        }
    })
}
