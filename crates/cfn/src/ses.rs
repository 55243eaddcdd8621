//! Amazon SES: identities that mail can be sent from.

use crate::kind::{Arn, Name};
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/ses.rs"));

impl EmailIdentity {
    /// The ARN of an identity of this account and region: a mail address, a domain, or a pattern of them with `*`.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<EmailIdentity>>>) -> Value<Arn<EmailIdentity>> {
        Value::of_this_account("ses", "identity/", name.into())
    }
}
