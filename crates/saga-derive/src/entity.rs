//! `#[derive(Entity)]`.

use crate::{
    helper::{Helper, Takes},
    names, shape,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DataStruct, DeriveInput, Error, Fields, Ident, LitStr, Result, spanned::Spanned};

const ENTITY: Helper = Helper {
    name: "entity",
    on: "the struct",
    arguments: &[("name", Takes::Constant)],
    example: r#"`#[entity(name = "orders")]`"#,
};

const FIELD: Helper = Helper {
    name: "entity",
    on: "a field",
    arguments: &[("key", Takes::Nothing), ("rename", Takes::Text)],
    example: r#"`#[entity(rename = "status")]`"#,
};

/// A field as it is declared.
struct Declared<'a> {
    field: &'a syn::Field,
    ident: &'a Ident,
    is_key: bool,
    /// The name it is stored under.
    stored: LitStr,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let DeriveInput { attrs, ident, .. } = input;
    shape::concrete(input, "Entity")?;
    let all = declared(input)?;
    let given = ENTITY.read(attrs)?;
    let [name] = given.need(ident, ["name"])?;
    let key = key(ident, &all)?;
    shape::distinct(all.iter().map(|declared| (declared.ident, &declared.stored)), |first, second, name| {
        format!("`{first}` and `{second}` are stored under one name, `{name}`: give each a name of its own")
    })?;
    let fields: Vec<_> = all.iter().filter(|declared| !declared.is_key).collect();
    let constants: Vec<_> = fields.iter().map(|declared| names::constant(declared.ident)).collect();
    let declarations =
        fields.iter().zip(&constants).map(|(declared, constant)| declaration(declared, constant));
    // Where a type is none that a field can have, that is said of the type.
    let specs = fields.iter().zip(&constants).map(|(declared, constant)| {
        quote_spanned! { declared.field.ty.span()=> Self::#constant.spec() }
    });
    let (stored_key, key_type) = (&key.stored, &key.field.ty);
    let idents = all.iter().map(|declared| declared.ident);
    Ok(quote! {
        #[automatically_derived]
        impl #ident {
            #(#declarations)*
        }
        #[automatically_derived]
        impl ::saga::Entity for #ident {
            const NAME: &'static str = #name;
            const KEY: &'static str = #stored_key;
            type Key = #key_type;
            const FIELDS: &'static [::saga::FieldSpec] = &[#(#specs),*];
        }
        // Nobody makes one or reads its fields, which for a private struct would be warned of.
        const _: fn(&#ident) = |entity| {
            let _ = (#(&entity.#idents,)*);
        };
    })
}

fn declared(input: &DeriveInput) -> Result<Vec<Declared<'_>>> {
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = &input.data else {
        let why = format!(
            "an entity is a struct with named fields, its key among them: write `struct {} {{ #[entity(key)] id: String, .. }}`",
            input.ident
        );
        return Err(Error::new_spanned(&input.ident, why));
    };
    let mut all = Vec::new();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let given = FIELD.read(&field.attrs)?;
        let stored = given.text("rename")?.unwrap_or_else(|| names::same(ident));
        all.push(Declared { field, ident, is_key: given.get("key").is_some(), stored });
    }
    Ok(all)
}

fn key<'a, 'b>(entity: &Ident, all: &'b [Declared<'a>]) -> Result<&'b Declared<'a>> {
    let mut keys = all.iter().filter(|declared| declared.is_key);
    let Some(key) = keys.next() else {
        let why = format!("`{entity}` has no key: mark one of its fields with `#[entity(key)]`");
        return Err(Error::new_spanned(entity, why));
    };
    match keys.next() {
        None => Ok(key),
        Some(other) => {
            let why = format!(
                "`{entity}` has two keys, `{}` and `{}`, but an item has one: take `#[entity(key)]` from one of them",
                key.ident, other.ident
            );
            Err(Error::new_spanned(other.ident, why))
        }
    }
}

fn declaration(declared: &Declared<'_>, constant: &Ident) -> TokenStream {
    let Declared { field: syn::Field { attrs, vis, ty, .. }, stored, .. } = declared;
    let docs = shape::docs(attrs);
    quote! {
        #docs
        #vis const #constant: ::saga::Field<Self, #ty> = ::saga::Field::new(#stored);
    }
}
