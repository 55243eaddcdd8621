//! The environment variables of a function.

use crate::Error;
use saga::{Deployment, environment};
use std::{collections::BTreeMap, str::FromStr};

/// Environment variables, read once at start.
#[derive(Clone)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process. One that is not UTF-8 counts as not set.
    pub fn of_process() -> Self {
        let utf8 = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(utf8.collect())
    }

    /// A variable that may be missing. An empty one counts as missing.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that must be set.
    ///
    /// # Errors
    /// When it is missing or empty.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        self.optional(name).ok_or_else(|| Error::Missing { name: name.into() })
    }

    /// The values of all variables whose names begin like this, in the order of their names.
    pub fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.range(prefix.to_owned()..).take_while(move |(name, _)| name.starts_with(prefix));
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A variable that must be set and must parse.
    ///
    /// # Errors
    /// When it is missing, empty or does not parse; `allowed` then says what is needed, for example `a whole number`.
    pub fn parsed<T: FromStr>(&self, name: &str, allowed: &'static str) -> Result<T, Error> {
        let given = self.text(name)?;
        given.parse().map_err(|_| Error::Invalid { name: name.into(), given: given.into(), allowed })
    }
}

impl Variables {
    /// The deployment that the function belongs to: [`environment::DEPLOYMENT`] and [`environment::STAGE`].
    ///
    /// # Errors
    /// When one is missing or cannot be part of an idempotency key.
    pub fn deployment(&self) -> Result<Deployment, Error> {
        let (name, stage) = (self.text(environment::DEPLOYMENT)?, self.text(environment::STAGE)?);
        Deployment::new(name, stage).map_err(|_| Error::Invalid {
            name: format!("{}` or `{}", environment::DEPLOYMENT, environment::STAGE),
            given: format!("{name}` or `{stage}"),
            allowed: "1 to 40 letters, digits and `-`",
        })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

// Not derived: credentials are among them.
impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_invalid_variable_is_named_with_what_is_needed() {
        let variables: Variables = [("COUNT", "many"), ("EMPTY", "")].into_iter().collect();
        let missing = variables.text("EMPTY").unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the environment variable `EMPTY` is not set: the stack that deploys this function sets it"
        );
        let invalid = variables.parsed::<u32>("COUNT", "a whole number").unwrap_err();
        assert_eq!(
            format!("{invalid:?}"),
            "the environment variable `COUNT` is `many`, but a whole number is needed: correct it in the stack"
        );
    }

    #[test]
    fn variables_of_one_kind_are_found_by_how_their_names_begin() {
        let variables: Variables =
            [("SAGA_B", "b"), ("SAGA_A", "a"), ("SAGA_", ""), ("SAG", "x"), ("SAGB", "y")]
                .into_iter()
                .collect();
        assert!(variables.beginning_with("SAGA_").eq(["a", "b"]));
    }

    #[test]
    fn values_do_not_show_in_debug_output() {
        let variables: Variables = [("AWS_SECRET_ACCESS_KEY", "hush")].into_iter().collect();
        assert_eq!(format!("{variables:?}"), r#"["AWS_SECRET_ACCESS_KEY"]"#);
    }
}
