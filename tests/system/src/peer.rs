//! Who plays AWS, as far as one who looks on from outside must know.

use crate::clients::is_local;
use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use stacks::parameters::SENDER_IDENTITY;
use std::collections::BTreeMap;

/// What a deployment runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// AWS itself.
    Aws,
    /// MiniStack.
    MiniStack,
    /// LocalStack, which is some ten times slower and closer to AWS.
    LocalStack,
}

impl Peer {
    /// How many times as long as with MiniStack things may take.
    #[must_use]
    pub const fn patience(self) -> u32 {
        match self {
            Self::Aws | Self::MiniStack => 1,
            Self::LocalStack => 4,
        }
    }

    /// The parameters with which stacks are deployed there, beside those that are needed everywhere.
    #[must_use]
    pub fn parameters(self) -> BTreeMap<String, String> {
        match self {
            Self::Aws | Self::MiniStack => BTreeMap::new(),
            // It has no identities of SES.
            Self::LocalStack => [(SENDER_IDENTITY.to_owned(), "existing".to_owned())].into(),
        }
    }

    /// Who it is at an endpoint: an emulator tells.
    ///
    /// # Errors
    /// When it is an emulator, but none that can be tested with.
    pub(crate) async fn at(endpoint: &str, http: &Client) -> Result<Self> {
        if !is_local(endpoint) {
            return Ok(Self::Aws);
        }
        let mailbox = http.get(format!("{endpoint}{}", Self::MiniStack.mailbox())).send().await;
        if mailbox.with_context(|| format!("{endpoint} does not answer"))?.status().is_success() {
            return Ok(Self::MiniStack);
        }
        let info = http.get(format!("{endpoint}/_localstack/info")).send().await?;
        let Ok(Info { version }) = info.json().await else {
            bail!("{endpoint} is neither MiniStack nor LocalStack");
        };
        // The community edition does not serve it. Ours refuses the empty request, as AWS does.
        let mail = http.post(format!("{endpoint}/v2/email/outbound-emails")).json(&()).send().await?;
        ensure!(
            mail.status() == StatusCode::BAD_REQUEST,
            "LocalStack {version} at {endpoint} does not serve Amazon SES v2, which the notification function calls: \
             use the one of `make up EMULATOR=localstack`"
        );
        Ok(Self::LocalStack)
    }

    /// Where an emulator shows the e-mails that were sent.
    pub(crate) const fn mailbox(self) -> &'static str {
        match self {
            Self::LocalStack => "/_aws/ses",
            Self::Aws | Self::MiniStack => "/_ministack/ses/messages",
        }
    }

    /// Where an emulator shows the SMS that were sent.
    pub(crate) const fn sms_box(self) -> &'static str {
        match self {
            Self::LocalStack => "/_aws/sns/sms-messages",
            Self::Aws | Self::MiniStack => "/_ministack/sns/sms-messages",
        }
    }
}

#[derive(Deserialize)]
struct Info {
    version: String,
}
