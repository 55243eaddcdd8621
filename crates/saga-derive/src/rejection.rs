//! `#[derive(Rejection)]`.

use crate::{
    helper::{Helper, Takes},
    names, shape,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Error, LitStr, Result};

const OF_A_STRUCT: Helper = Helper { on: "the struct", ..OF_A_VARIANT };

const OF_A_VARIANT: Helper = Helper {
    name: "rejection",
    on: "a variant",
    arguments: &[("name", Takes::Text)],
    example: r#"`#[rejection(name = "OutOfStock")]`"#,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    shape::concrete(input, "Rejection")?;
    match &input.data {
        Data::Struct(_) => of_a_struct(input),
        Data::Enum(data) => of_an_enum(input, data),
        Data::Union(_) => Err(Error::new_spanned(&input.ident, "a rejection is a struct or an enum")),
    }
}

fn of_a_struct(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, vis, ident, data, .. } = input;
    for attributes in shape::attributes_within(data) {
        OF_A_STRUCT.refuse(attributes)?;
    }
    let name = OF_A_STRUCT.read(attrs)?.text("name")?.unwrap_or_else(|| names::same(ident));
    Ok(quote! {
        #[automatically_derived]
        impl #ident {
            /// The wire name of this rejection.
            #vis const NAME: &'static str = #name;
        }
        #[automatically_derived]
        impl ::saga::Rejection for #ident {
            const NAMES: &'static [&'static str] = &[Self::NAME];

            fn name(&self) -> &'static str {
                Self::NAME
            }
        }
    })
}

fn of_an_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let DeriveInput { attrs, vis, ident, .. } = input;
    OF_A_VARIANT.refuse(attrs)?;
    if data.variants.is_empty() {
        let why = format!("`{ident}` has no variants, so no step can say it: use `saga::Never`");
        return Err(Error::new_spanned(ident, why));
    }
    for attributes in data.variants.iter().flat_map(|variant| &variant.fields).map(|field| &field.attrs) {
        OF_A_VARIANT.refuse(attributes)?;
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<LitStr> = data.variants.iter().map(name).collect::<Result<_>>()?;
    shape::distinct(variants.iter().copied().zip(&names), |first, second, name| {
        format!("`{first}` and `{second}` have one wire name, `{name}`: give each a name of its own")
    })?;
    let constants = variants.iter().map(|variant| names::constant(variant));
    let docs = variants.iter().map(|variant| format!("The wire name of [`{variant}`]({ident}::{variant})."));
    Ok(quote! {
        // Nobody has to compare with them.
        #[allow(dead_code)]
        #[automatically_derived]
        impl #ident {
            #(#[doc = #docs] #vis const #constants: &'static str = #names;)*
        }
        #[automatically_derived]
        impl ::saga::Rejection for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn name(&self) -> &'static str {
                match self {
                    #(Self::#variants { .. } => #names,)*
                }
            }
        }
    })
}

fn name(variant: &syn::Variant) -> Result<LitStr> {
    Ok(OF_A_VARIANT.read(&variant.attrs)?.text("name")?.unwrap_or_else(|| names::same(&variant.ident)))
}
