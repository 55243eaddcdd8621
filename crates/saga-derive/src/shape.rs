//! What a derive can be of, and what of it is the same for all.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Field, Ident, LitStr, Result};

/// Refuses a generic type.
pub(crate) fn concrete(input: &DeriveInput, name: &str) -> Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    let why = format!(
        "`{}` is generic, but its name on the wire or in the store would stand for many types: take the parameters out, \
         or implement `saga::{name}` by hand for each type",
        input.ident
    );
    Err(Error::new_spanned(&input.generics, why))
}

/// Refuses what is no struct without fields: a mark in the chain of a saga.
pub(crate) fn mark(input: &DeriveInput, what: &str) -> Result<()> {
    match &input.data {
        Data::Struct(data) if data.fields.is_empty() => Ok(()),
        _ => {
            let why = format!("{what} is a struct without fields: write `struct {};`", input.ident);
            Err(Error::new_spanned(&input.ident, why))
        }
    }
}

/// The attributes of everything in it: variants, and fields.
pub(crate) fn attributes_within(data: &Data) -> Vec<&[Attribute]> {
    let fields: Vec<&Field> = match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(data) => data.fields.named.iter().collect(),
    };
    let variants = match data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let of_variants = variants.into_iter().map(|variant| variant.attrs.as_slice());
    of_variants.chain(fields.into_iter().map(|field| field.attrs.as_slice())).collect()
}

/// Refuses a name that two have.
pub(crate) fn distinct<'a>(
    named: impl IntoIterator<Item = (&'a Ident, &'a LitStr)>,
    why: impl Fn(&Ident, &Ident, &str) -> String,
) -> Result<()> {
    let mut seen: Vec<(&Ident, String)> = Vec::new();
    for (item, name) in named {
        let text = name.value();
        if let Some((first, _)) = seen.iter().find(|(_, seen)| *seen == text) {
            return Err(Error::new_spanned(name, why(first, item, &text)));
        }
        seen.push((item, text));
    }
    Ok(())
}

/// The docs of an item, for what is made of it.
pub(crate) fn docs(attributes: &[Attribute]) -> TokenStream {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    quote! { #(#docs)* }
}
