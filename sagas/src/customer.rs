//! Who orders, and how to reach them. Personal data: never in logs.

use saga::Redacted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A customer.
#[derive(Redacted, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Customer {
    /// The customer's id, 1 to 64 characters.
    pub id: String,
    /// The e-mail address, at most 254 characters.
    #[redact]
    pub email: String,
    /// The phone number in E.164 form, for example `+4930123456`; needed to be reached by SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[redact]
    pub phone: Option<String>,
    /// How they want to be told. Default: e-mail.
    #[serde(default)]
    #[redact]
    pub prefers: Channel,
}

/// A way to reach a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    #[default]
    Email,
    /// SMS.
    Sms,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_shows() {
        let customer = Customer {
            id: "c-1".into(),
            email: "ada@example.com".into(),
            phone: Some("+4930123456".into()),
            prefers: Channel::Sms,
        };
        assert_eq!(format!("{customer:?}"), "Customer { id: \"c-1\", .. }");
    }

    #[test]
    fn a_customer_who_says_nothing_else_prefers_email() {
        let customer: Customer = serde_json::from_str(r#"{"id":"c-1","email":"ada@example.com"}"#).unwrap();
        assert_eq!((customer.prefers, customer.phone), (Channel::Email, None));
    }
}
