//! Who is meant: the ids by which sagas, their runs and their steps are told apart, everywhere and for good.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A text of a fixed spelling. It is shared: every message, fence and transaction of a run has a copy.
macro_rules! spelt {
    ($(#[$doc:meta])* $name:ident, $error:ident, $pattern:literal, $told:literal, |$text:ident| $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = $pattern))]
        pub struct $name(Arc<str>);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from($text: String) -> Result<Self, $error> {
                if $allowed { Ok(Self($text.into())) } else { Err($error($text)) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        /// Text that is none.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($told)]
        pub struct $error(String);
    };
}

spelt! {
    /// The identity of one run of a saga: the name of its execution, part of the key of its fences and of every
    /// idempotency key. 1 to 80 letters, digits, `-` and `_`, which Step Functions allows for
    /// [execution names](https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
    SagaId, SagaIdError, "^[A-Za-z0-9_-]{1,80}$",
    "`{0}` is not a saga id: use 1 to 80 letters, digits, `-` and `_`",
    |id| (1..=80).contains(&id.len()) && id.chars().all(is_id)
}

spelt! {
    /// Which of several items one step runs for, where a step runs once for each. Spelt as a [`SagaId`].
    ItemId, ItemIdError, "^[A-Za-z0-9_-]{1,80}$",
    "`{0}` is not an item's id: use 1 to 80 letters, digits, `-` and `_`",
    |id| (1..=80).contains(&id.len()) && id.chars().all(is_id)
}

spelt! {
    /// The name of a saga: 1 to 40 lower-case letters, digits and `-`, starting with a letter.
    SagaName, SagaNameError, "^[a-z][a-z0-9-]{0,39}$",
    "`{0}` is not the name of a saga: use 1 to 40 lower-case letters, digits and `-`, starting with a letter",
    |name| (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

spelt! {
    /// Which run of a saga id is meant: a digest of the saga's input, 32 hexadecimal digits.
    ///
    /// An id can come back: Step Functions forgets the name of an execution 90 days after its end, and fences are kept
    /// longer. Whoever starts a saga puts the digest beside the input, executions that settle inherit it, and a fence
    /// that was written by another run is never answered from.
    RunDigest, RunDigestError, "^[0-9a-f]{32}$",
    "`{0}` is not the digest of a run: 32 hexadecimal digits are needed",
    |digest| digest.len() == 32 && digest.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

impl RunDigest {
    /// The digest of an input: of its JSON with members in order, and without those that are null, which mean the same
    /// as absent ones. So a release that adds an optional member makes no other run of an order that lacks it.
    pub fn of(input: &Json) -> Self {
        let digest = Sha256::digest(canonical(input));
        let halves = digest.iter().take(16).flat_map(|byte| [byte >> 4, byte & 0xf]);
        Self(halves.map(|half| char::from(HEXADECIMAL[usize::from(half)])).collect::<String>().into())
    }

    /// Whether a message and a fence, or two fences, can be of one run. What knows no run is of version 1, which had
    /// none.
    pub fn same(one: Option<&Self>, other: Option<&Self>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
}

/// A text that is equal for equal values, whatever the order of their members.
fn canonical(json: &Json) -> String {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Form<'a> {
        Object(BTreeMap<&'a str, Form<'a>>),
        Array(Vec<Form<'a>>),
        Plain(&'a Json),
    }

    fn form(json: &Json) -> Form<'_> {
        match json {
            Json::Object(members) => {
                let present = members.iter().filter(|(_, value)| !value.is_null());
                Form::Object(present.map(|(name, value)| (name.as_str(), form(value))).collect())
            }
            Json::Array(values) => Form::Array(values.iter().map(form).collect()),
            plain => Form::Plain(plain),
        }
    }

    // JSON always has a JSON form.
    serde_json::to_string(&form(json)).unwrap_or_default()
}

/// Which deployment a function belongs to: part of every [`IdempotencyKey`], so that two of them can share an account
/// at a peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deployment {
    name: Arc<str>,
    stage: Arc<str>,
}

impl Deployment {
    /// A deployment and its stage.
    ///
    /// # Errors
    /// When one of them is not 1 to 40 letters, digits and `-`.
    pub fn new(name: impl Into<String>, stage: impl Into<String>) -> Result<Self, DeploymentError> {
        let (name, stage): (String, String) = (name.into(), stage.into());
        for (what, given) in [("deployment", &name), ("stage", &stage)] {
            let spelt = (1..=40).contains(&given.len())
                && given.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if !spelt {
                return Err(DeploymentError { what, given: given.clone() });
            }
        }
        Ok(Self { name: name.into(), stage: stage.into() })
    }

    /// The one of stores in memory: `memory/test`.
    pub fn in_memory() -> Self {
        Self { name: "memory".into(), stage: "test".into() }
    }
}

/// A name that cannot be one of a deployment or of a stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` cannot be the name of a {what}: use 1 to 40 letters, digits and `-`")]
pub struct DeploymentError {
    what: &'static str,
    given: String,
}

/// Which step of which saga: the identity of a fence within the store of a participant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepKey {
    /// The saga's name.
    pub saga: SagaName,
    /// The saga id.
    pub saga_id: SagaId,
    /// The step's name.
    pub step: String,
    /// Which item, where the step runs once for each.
    pub item: Option<ItemId>,
}

impl StepKey {
    /// What tells steps of one saga id apart: `<saga>/<step>[/<item>]`.
    pub fn place(&self) -> String {
        let Self { saga, step, item, .. } = self;
        item.as_ref().map_or_else(|| format!("{saga}/{step}"), |item| format!("{saga}/{step}/{item}"))
    }

    /// The key of what [`place`](Self::place) names; `None` when the text is no place.
    pub fn at(saga_id: SagaId, place: &str) -> Option<Self> {
        let mut parts = place.split('/');
        let saga = parts.next()?.parse().ok()?;
        let step = parts.next().filter(|step| is_step(step))?.to_owned();
        let item = parts.next().map(str::parse).transpose().ok()?;
        parts.next().is_none().then_some(Self { saga, saga_id, step, item })
    }
}

/// A step of one run of a saga id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepOfRun {
    /// The step.
    pub key: StepKey,
    /// The run; unknown in version 1.
    pub run: Option<RunDigest>,
}

/// Steps are spelt as sagas.
fn is_step(name: &str) -> bool {
    name.parse::<SagaName>().is_ok()
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.saga_id, self.place())
    }
}

/// The key by which an outside peer recognises a repeated request:
/// `<deployment>/<stage>/<saga>/<id>.<run>/<step>[/<item>]`. The run is there because a peer, like a fence, must not take an
/// order for another one that had its id long ago; what a message of version 1 did, which knew no run, has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a step of one run of a deployment.
    pub fn new(deployment: &Deployment, of: &StepOfRun) -> Self {
        let Deployment { name, stage } = deployment;
        let StepOfRun { key: StepKey { saga, saga_id, step, item }, run } = of;
        let run = run.as_ref().map(|run| format!(".{run}")).unwrap_or_default();
        let item = item.as_ref().map(|item| format!("/{item}")).unwrap_or_default();
        Self(format!("{name}/{stage}/{saga}/{saga_id}{run}/{step}{item}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The step that a peer knows by this key; `None` for a key of another deployment or of somebody else.
    pub fn step_in(deployment: &Deployment, key: &str) -> Option<StepOfRun> {
        let Deployment { name, stage } = deployment;
        let ours = key.strip_prefix(&**name)?.strip_prefix('/')?;
        let ours = ours.strip_prefix(&**stage)?.strip_prefix('/')?;
        let (saga, rest) = ours.split_once('/')?;
        let (id, rest) = rest.split_once('/')?;
        let (saga_id, run) = match id.split_once('.') {
            Some((saga_id, run)) => (saga_id, Some(run.parse().ok()?)),
            None => (id, None),
        };
        Some(StepOfRun { key: StepKey::at(saga_id.parse().ok()?, &format!("{saga}/{rest}"))?, run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_saga_id_is_what_an_execution_name_can_be() {
        let longest = "a".repeat(80);
        for id in ["o", "Order_1-2", &longest] {
            assert_eq!(SagaId::try_from(id.to_owned()).map(String::from), Ok(id.to_owned()));
        }
        let too_long = "a".repeat(81);
        for id in ["", "o 1", "o/1", "o.1", "ö", "o\n", &too_long] {
            assert_eq!(SagaId::try_from(id.to_owned()), Err(SagaIdError(id.to_owned())));
        }
        let error = SagaId::try_from("o 1".to_owned()).unwrap_err();
        insta::assert_snapshot!(error, @"`o 1` is not a saga id: use 1 to 80 letters, digits, `-` and `_`");
    }

    #[test]
    fn equal_inputs_have_one_digest_and_others_have_another() {
        let digest = |json: &str| RunDigest::of(&serde_json::from_str(json).unwrap());
        let one = digest(r#"{"a":1,"b":[{"x":"y","z":null}],"c":null}"#);
        insta::assert_snapshot!(one, @"fcc25431fc073d1d64ffa41c1df279f7");
        assert_eq!(digest(r#"{"b":[{"x":"y"}],"a":1}"#), one);
        for other in
            [r#"{"a":2,"b":[{"x":"y"}]}"#, r#"{"a":1,"b":[{"x":"y"},null]}"#, r#"{"a":1}"#, "{}", "null"]
        {
            assert_ne!(digest(other), one, "{other}");
        }
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
        assert!("0123".parse::<RunDigest>().is_err() && "G".repeat(32).parse::<RunDigest>().is_err());
    }

    #[test]
    fn what_knows_no_run_is_of_any() {
        let (one, other) = (RunDigest::of(&json!(1)), RunDigest::of(&json!(2)));
        assert!(RunDigest::same(Some(&one), Some(&one)) && !RunDigest::same(Some(&one), Some(&other)));
        assert!(RunDigest::same(None, Some(&one)) && RunDigest::same(Some(&one), None));
    }

    fn key(item: Option<&str>) -> StepKey {
        StepKey {
            saga: "order".parse().unwrap(),
            saga_id: "o-1".parse().unwrap(),
            step: "pay".into(),
            item: item.map(|item| item.parse().unwrap()),
        }
    }

    #[test]
    fn a_place_is_read_again() {
        for item in [None, Some("2")] {
            let key = key(item);
            assert_eq!(StepKey::at(key.saga_id.clone(), &key.place()), Some(key));
        }
        for place in ["", "order", "order/", "Order/pay", "order/pay/", "order/pay/a b", "order/pay/1/2"] {
            assert_eq!(StepKey::at("o-1".parse().unwrap(), place), None, "{place}");
        }
    }

    #[test]
    fn an_idempotency_key_names_deployment_saga_and_step() {
        let deployment = Deployment::new("shop", "dev").unwrap();
        for (item, expected) in [(None, "shop/dev/order/o-1/pay"), (Some("2"), "shop/dev/order/o-1/pay/2")] {
            let of_version_1 = StepOfRun { key: key(item), run: None };
            assert_eq!(IdempotencyKey::new(&deployment, &of_version_1).as_str(), expected);
            assert_eq!(IdempotencyKey::step_in(&deployment, expected), Some(of_version_1));
            let run = RunDigest::of(&json!(1));
            let expected = expected.replace("o-1", &format!("o-1.{run}"));
            let of_run = StepOfRun { key: key(item), run: Some(run) };
            assert_eq!(IdempotencyKey::new(&deployment, &of_run).as_str(), expected);
            assert_eq!(IdempotencyKey::step_in(&deployment, &expected), Some(of_run));
        }
        for foreign in [
            "shop/prod/order/o-1/pay",
            "shop-2/dev/order/o-1/pay",
            "shop/dev-2/order/o-1/pay",
            "o-1/pay",
            "shop/dev/order/o 1/pay",
            "shop/dev/order/o-1./pay",
            "shop/dev/order/o-1.2/pay",
            "shop/dev/order/o-1/pay/2/3",
            "shop/dev/o-1/pay",
            "",
        ] {
            assert_eq!(IdempotencyKey::step_in(&deployment, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_deployment_that_would_blur_keys_is_refused() {
        let told = |name: &str, stage: &str| Deployment::new(name, stage).unwrap_err().to_string();
        insta::assert_snapshot!(told("a/b", "dev"), @"`a/b` cannot be the name of a deployment: use 1 to 40 letters, digits and `-`");
        insta::assert_snapshot!(told("shop", ""), @"`` cannot be the name of a stage: use 1 to 40 letters, digits and `-`");
    }
}
