//! `#[derive(FieldType)]`.

use crate::{
    helper::{Helper, Takes},
    names, shape,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, LitStr, Result, Variant};

const FIELD: Helper = Helper {
    name: "field",
    on: "a variant",
    arguments: &[("rename", Takes::Text)],
    example: r#"`#[field(rename = "PENDING")]`"#,
};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, vis, ident, data, .. } = input;
    shape::concrete(input, "FieldType")?;
    let Data::Enum(data) = data else {
        let why = "a derived field type is an enum of variants without data: implement `saga::FieldType` by hand for another";
        return Err(Error::new_spanned(ident, why));
    };
    FIELD.refuse(attrs)?;
    if data.variants.is_empty() {
        let why = format!("`{ident}` has no variants, so a field of it could never be read: give it some");
        return Err(Error::new_spanned(ident, why));
    }
    let names: Vec<LitStr> = data.variants.iter().map(name).collect::<Result<_>>()?;
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    shape::distinct(variants.iter().copied().zip(&names), |first, second, name| {
        format!("`{first}` and `{second}` are stored as one text, `{name}`: give each a name of its own")
    })?;
    Ok(quote! {
        #[automatically_derived]
        impl #ident {
            /// The stored name.
            #vis const fn as_str(&self) -> &'static str {
                match self {
                    #(Self::#variants => #names,)*
                }
            }
        }
        #[automatically_derived]
        impl ::saga::FieldType for #ident {
            const KIND: ::saga::FieldKind = ::saga::FieldKind::Text;

            fn to_scalar(&self) -> ::saga::Scalar {
                ::saga::Scalar::Text(::std::string::String::from(self.as_str()))
            }

            fn from_scalar(scalar: &::saga::Scalar) -> ::core::option::Option<Self> {
                let ::saga::Scalar::Text(text) = scalar else { return ::core::option::Option::None };
                match text.as_str() {
                    #(#names => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn name(variant: &Variant) -> Result<LitStr> {
    let given = FIELD.read(&variant.attrs)?.text("rename")?;
    if !matches!(variant.fields, syn::Fields::Unit) {
        let why = format!(
            "`{0}` carries data, and a field is stored as one text: write `{0}` alone, and keep the data in a field of its own",
            variant.ident
        );
        return Err(Error::new_spanned(variant, why));
    }
    Ok(given.unwrap_or_else(|| names::screaming(&variant.ident)))
}
