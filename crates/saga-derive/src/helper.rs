//! The helper attributes, such as `#[value(name = "order")]`: what each takes, and what it is given.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Error, Expr, Ident, LitStr, Result, Token, Type, meta::ParseNestedMeta, parse::ParseStream,
};

/// What an argument takes.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    /// Nothing: it is there, or not.
    Nothing,
    /// A text that is written out, since it is compared with others.
    Text,
    /// A constant.
    Constant,
    /// A type.
    Type,
    /// A tuple of types, or the name of one.
    Tuple,
}

/// A helper attribute.
pub(crate) struct Helper {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it stands on.
    pub(crate) on: &'static str,
    /// Its arguments.
    pub(crate) arguments: &'static [(&'static str, Takes)],
    /// How it is written with all that is needed.
    pub(crate) example: &'static str,
}

/// What a helper attribute was given, on one item. It may be written more than once there.
pub(crate) struct Given<'a> {
    helper: &'a Helper,
    attribute: Option<&'a Attribute>,
    arguments: Vec<(&'static str, TokenStream)>,
}

impl Helper {
    /// Reads it.
    pub(crate) fn read<'a>(&'a self, attributes: &'a [Attribute]) -> Result<Given<'a>> {
        let mut given = Given { helper: self, attribute: None, arguments: Vec::new() };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(self.name)) {
            given.attribute.get_or_insert(attribute);
            attribute.parse_nested_meta(|argument| given.add(&argument))?;
        }
        Ok(given)
    }

    /// Refuses it, where it would say nothing.
    pub(crate) fn refuse(&self, attributes: &[Attribute]) -> Result<()> {
        match attributes.iter().find(|attribute| attribute.path().is_ident(self.name)) {
            None => Ok(()),
            Some(misplaced) => {
                let Self { name, on, .. } = self;
                Err(Error::new_spanned(
                    misplaced,
                    format!("`#[{name}(..)]` says nothing here: it stands on {on}"),
                ))
            }
        }
    }
}

impl Given<'_> {
    fn add(&mut self, argument: &ParseNestedMeta<'_>) -> Result<()> {
        let Helper { name: helper, on, arguments, .. } = self.helper;
        let refused = |why: String| Err(Error::new_spanned(&argument.path, why));
        let Some(&(name, takes)) = arguments.iter().find(|(name, _)| argument.path.is_ident(name)) else {
            let allowed: Vec<_> = arguments.iter().map(|(name, _)| format!("`{name}`")).collect();
            let given = argument.path.to_token_stream();
            return refused(format!(
                "`#[{helper}(..)]` on {on} has no `{given}`: it takes {}",
                allowed.join(", ")
            ));
        };
        if self.get(name).is_some() {
            return refused(format!("`{name}` is given twice: leave one of them out"));
        }
        match (takes, argument.input.peek(Token![=])) {
            (Takes::Nothing, true) => return refused(format!("`{name}` takes no value: write it alone")),
            (Takes::Nothing, false) => self.arguments.push((name, TokenStream::new())),
            (_, false) => return refused(format!("`{name}` has no value: write {}", self.helper.example)),
            (_, true) => self.arguments.push((name, takes.read(name, argument.value()?)?)),
        }
        Ok(())
    }

    /// The argument with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&TokenStream> {
        self.arguments.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// The text with this name.
    pub(crate) fn text(&self, name: &str) -> Result<Option<LitStr>> {
        self.get(name).cloned().map(syn::parse2).transpose()
    }

    /// All of these arguments; `item` is what they are of.
    pub(crate) fn need<const N: usize>(&self, item: &Ident, names: [&str; N]) -> Result<[&TokenStream; N]> {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for name in names {
            match self.get(name) {
                Some(value) => found.push(value),
                None => missing.push(format!("`{name}`")),
            }
        }
        found.try_into().map_err(|_| {
            let why = format!("`{item}` lacks {}: write {}", missing.join(", "), self.helper.example);
            match self.attribute {
                Some(attribute) => Error::new_spanned(attribute, why),
                None => Error::new_spanned(item, why),
            }
        })
    }
}

impl Takes {
    fn read(self, name: &str, value: ParseStream<'_>) -> Result<TokenStream> {
        match self {
            Self::Text => text(name, value).map(ToTokens::into_token_stream),
            Self::Type | Self::Tuple if value.peek(LitStr) => {
                Err(value.error(format!("`{name}` takes a type: write it without quotes")))
            }
            Self::Type | Self::Tuple => match (self, value.parse()?) {
                (Self::Tuple, Type::Paren(of)) => {
                    let one = of.elem.to_token_stream();
                    let why =
                        format!("`{name}` takes a tuple, also of one type: write `({one},)`, with the comma");
                    Err(Error::new_spanned(of, why))
                }
                (_, of) => Ok(of.into_token_stream()),
            },
            Self::Nothing | Self::Constant => constant(name, value),
        }
    }
}

fn text(name: &str, value: ParseStream<'_>) -> Result<LitStr> {
    let text: LitStr = value.parse().map_err(|error| {
        Error::new(error.span(), format!("`{name}` takes a text that is written out, in quotes"))
    })?;
    if text.value().is_empty() {
        return Err(Error::new_spanned(text, format!("`{name}` is empty: write a name")));
    }
    Ok(text)
}

/// Up to the comma behind it. Without its feature `full`, which nothing else here needs, syn knows only some expressions; in
/// no other is there a comma outside of brackets.
fn constant(name: &str, value: ParseStream<'_>) -> Result<TokenStream> {
    let is_known = value.fork().parse::<Expr>().is_ok();
    if is_known {
        return Ok(value.parse::<Expr>()?.into_token_stream());
    }
    let mut constant = TokenStream::new();
    while !value.is_empty() && !value.peek(Token![,]) {
        constant.extend([value.parse::<TokenTree>()?]);
    }
    if constant.is_empty() {
        return Err(value.error(format!("`{name}` has no value: write a constant behind its `=`")));
    }
    Ok(constant)
}
