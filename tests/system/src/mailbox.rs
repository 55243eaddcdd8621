//! What customers got: the emulator keeps it and shows it.

use crate::{peer::Peer, start::System};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// An e-mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mail {
    /// The sender.
    #[serde(rename = "Source")]
    pub from: String,
    /// The receivers.
    #[serde(rename = "To")]
    pub to: Vec<String>,
    /// The subject.
    #[serde(rename = "Subject")]
    pub subject: String,
    /// The text.
    #[serde(rename = "BodyText")]
    pub body: String,
}

/// MiniStack's, by account.
#[derive(Deserialize)]
struct Mails {
    messages: BTreeMap<String, Vec<Mail>>,
}

/// LocalStack's.
#[derive(Deserialize)]
struct LocalStackMails {
    messages: Vec<LocalStackMail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalStackMail {
    source: String,
    destination: Destination,
    subject: String,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    text_part: String,
}

impl From<LocalStackMail> for Mail {
    fn from(mail: LocalStackMail) -> Self {
        let LocalStackMail { source: from, destination, subject, body } = mail;
        Self { from, to: destination.to_addresses, subject, body: body.text_part }
    }
}

#[derive(Deserialize)]
struct Texts {
    sms_messages: BTreeMap<String, Vec<Text>>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "Message")]
    message: String,
}

impl System {
    /// Every e-mail that was sent, in order.
    ///
    /// # Errors
    /// When this is not an emulator, or it does not answer.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        let path = self.peer().mailbox();
        if self.peer() == Peer::LocalStack {
            let LocalStackMails { messages } = self.inspect(path).await?;
            return Ok(messages.into_iter().map(Mail::from).collect());
        }
        let Mails { messages } = self.inspect(path).await?;
        Ok(messages.into_values().flatten().collect())
    }

    /// Every SMS that was sent, in order, by phone number.
    ///
    /// # Errors
    /// When this is not an emulator, or it does not answer.
    pub async fn sms(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let Texts { sms_messages } = self.inspect(self.peer().sms_box()).await?;
        let texts = |texts: Vec<Text>| texts.into_iter().map(|text| text.message).collect();
        Ok(sms_messages.into_iter().map(|(phone, sent)| (phone, texts(sent))).collect())
    }

    async fn inspect<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        ensure!(self.is_emulator(), "{} is no emulator: it does not show what was sent", self.endpoint());
        let url = format!("{}{path}", self.endpoint());
        let answer = self.clients().http.get(&url).send().await.and_then(reqwest::Response::error_for_status);
        answer.context("the emulator does not answer")?.json().await.with_context(|| format!("GET {url}"))
    }
}
