//! Rust names from AWS names.

use std::collections::BTreeSet;

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// `KMSMasterKeyId` as `kms_master_key_id`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        let starts_word = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && chars.get(i + 1).is_some_and(char::is_ascii_lowercase))
            });
        // The plural of an acronym, as in `ARNs`, is one word.
        let plural = chars.get(i + 1) == Some(&'s')
            && chars.get(i + 2).is_none_or(char::is_ascii_uppercase)
            && before.is_some_and(char::is_ascii_uppercase);
        if starts_word && !plural && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    let out = out.trim_matches('_').to_owned();
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("n{out}") } else { out }
}

/// A snake-case name that can be a Rust identifier.
pub(crate) fn identifier(name: &str) -> String {
    match name {
        "self" | "super" | "crate" | "new" | "" => format!("{name}_"),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

/// A module cannot be raw and stay readable, so a keyword gets an underscore.
pub(crate) fn module(name: &str) -> String {
    let name = snake(name);
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// `PAY_PER_REQUEST`, `perQueue` and `provided.al2023` as variants.
pub(crate) fn variant(value: &str) -> String {
    let mut out = String::new();
    for word in value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let shouted = !word.chars().any(|c| c.is_ascii_lowercase());
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        let rest = chars.as_str();
        if shouted { out.push_str(&rest.to_ascii_lowercase()) } else { out.push_str(rest) }
    }
    match out.as_str() {
        "" => match value {
            "" => "Empty".to_owned(),
            "*" => "Star".to_owned(),
            "<" => "Less".to_owned(),
            ">" => "Greater".to_owned(),
            "=" => "Equal".to_owned(),
            "<=" => "LessOrEqual".to_owned(),
            ">=" => "GreaterOrEqual".to_owned(),
            _ => "Symbol".to_owned(),
        },
        "Other" | "Self" => out + "Value",
        _ if out.starts_with(|c: char| c.is_ascii_digit()) => format!("V{out}"),
        _ => out,
    }
}

/// A type name that hides nothing the generated code uses.
pub(crate) fn type_name(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut chars = name.chars();
    let name: String = chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect();
    match name.as_str() {
        "From" | "Into" | "Self" | "String" | "Vec" | "Debug" | "Clone" | "PartialEq" | "Eq" => name + "Type",
        _ => name,
    }
}

/// Gives every name once: a name that was taken gets underscores until it is free.
#[derive(Default)]
pub(crate) struct Unique(BTreeSet<String>);

impl Unique {
    pub(crate) fn name(&mut self, mut wanted: String) -> String {
        while !self.0.insert(wanted.clone()) {
            wanted.push('_');
        }
        wanted
    }
}
