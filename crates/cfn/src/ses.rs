//! Amazon SES: identities that mail can be sent from.

include!(concat!(env!("OUT_DIR"), "/ses.rs"));
