//! `#[derive(Value)]`.

use crate::{
    helper::{Helper, Takes},
    shape,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Ident, Result, spanned::Spanned};

const VALUE: Helper = Helper {
    name: "value",
    on: "the type",
    arguments: &[("name", Takes::Constant), ("max_bytes", Takes::Constant), ("producer", Takes::Type)],
    example: r#"`#[value(name = "order", max_bytes = 1_000, producer = Start)]`"#,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, ident, data, .. } = input;
    shape::concrete(input, "Value")?;
    if let Data::Union(_) = data {
        return Err(Error::new_spanned(ident, "a value is a struct or an enum"));
    }
    for attributes in shape::attributes_within(data) {
        VALUE.refuse(attributes)?;
    }
    let given = VALUE.read(attrs)?;
    let [name, max_bytes, producer] = given.need(ident, ["name", "max_bytes", "producer"])?;
    let some_bytes = some_bytes(ident, max_bytes);
    Ok(quote! {
        #[automatically_derived]
        impl ::saga::Value for #ident {
            const NAME: &'static str = #name;
            const MAX_BYTES: usize = #max_bytes;
            type Producer = #producer;
        }
        #some_bytes
    })
}

/// That there are some, whatever constant was given. Not asked of the trait: where the type lacks what a value needs, that would
/// be said once more.
fn some_bytes(ident: &Ident, max_bytes: &TokenStream) -> TokenStream {
    let none = format!(
        "the value `{ident}` has `max_bytes` 0, and no JSON is that short: allow as many as it needs"
    );
    quote_spanned! { max_bytes.span()=>
        const _: () = {
            // No constant: it would be in scope of what was given, and that may be a constant of its name.
            let max_bytes: usize = #max_bytes;
            ::core::assert!(max_bytes > 0, #none);
        };
    }
}
