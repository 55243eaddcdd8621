//! `#[derive(Redacted)]`.

use crate::names;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, Result};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, ident, generics, data, .. } = input;
    if is_redacted(attrs)? {
        return Err(Error::new_spanned(ident, "`#[redact]` stands on the fields that must not be printed"));
    }
    let Data::Struct(data) = data else {
        let why = "only a struct is redacted: keep what must not be printed in a struct of its own";
        return Err(Error::new_spanned(ident, why));
    };
    let fields: Vec<(&Field, bool)> =
        data.fields.iter().map(|field| Ok((field, is_redacted(&field.attrs)?))).collect::<Result<_>>()?;
    if !fields.iter().any(|(_, redacted)| *redacted) {
        let why = format!(
            "no field of `{ident}` is marked `#[redact]`: mark what must not be printed, or derive `Debug`"
        );
        return Err(Error::new_spanned(ident, why));
    }
    let body = match &data.fields {
        Fields::Named(_) => named(ident, &fields),
        Fields::Unnamed(_) | Fields::Unit => unnamed(ident, &fields),
    };
    let mut generics = generics.clone();
    for (Field { ty, .. }, _) in fields.iter().filter(|(_, redacted)| !redacted) {
        if !generics.params.is_empty() {
            generics.make_where_clause().predicates.push(syn::parse_quote! { #ty: ::core::fmt::Debug });
        }
    }
    let (of, parameters, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #of ::core::fmt::Debug for #ident #parameters #bounds {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #body
            }
        }
    })
}

fn is_redacted(attributes: &[Attribute]) -> Result<bool> {
    let Some(attribute) = attributes.iter().find(|attribute| attribute.path().is_ident("redact")) else {
        return Ok(false);
    };
    attribute.meta.require_path_only().map_err(|_| {
        Error::new_spanned(attribute, "`#[redact]` takes nothing: the field is left out, whatever is in it")
    })?;
    Ok(true)
}

/// `Customer { id: "c-1", .. }`.
fn named(ident: &Ident, fields: &[(&Field, bool)]) -> TokenStream {
    let shown = fields.iter().filter(|(_, redacted)| !redacted);
    let shown: Vec<&Ident> = shown.filter_map(|(field, _)| field.ident.as_ref()).collect();
    let (of, names) = (names::same(ident), shown.iter().map(|field| names::same(field)));
    quote! {
        f.debug_struct(#of)#(.field(#names, &self.#shown))*.finish_non_exhaustive()
    }
}

/// `Token("c-1", ..)`.
fn unnamed(ident: &Ident, fields: &[(&Field, bool)]) -> TokenStream {
    let (of, places) = (names::same(ident), (0..fields.len()).map(syn::Index::from));
    let shown = fields.iter().zip(places).map(|((_, redacted), place)| {
        if *redacted {
            quote! { &::core::format_args!("..") }
        } else {
            quote! { &self.#place }
        }
    });
    quote! {
        f.debug_tuple(#of)#(.field(#shown))*.finish()
    }
}
