//! Whose identity of SES the sender's address is.
//!
//! An identity belongs to an account and a region, not to a deployment: stages with one sender share it. Whoever comes
//! first creates it, the others use it, and it outlives them all.

use std::collections::BTreeMap;

use aws_sdk_sesv2::error::ProvideErrorMetadata;
use stacks::{App, parameters};

use super::Target;
use super::connection::Connection;
use super::error::{AwsError, call};
use super::progress::{Progress, Update};
use super::stack::{self, Before, Deployment, before_deploy};

const EMAIL_IDENTITY: &str = "AWS::SES::EmailIdentity";

/// The values of [`parameters::SENDER_IDENTITY`].
const EXISTING: &str = "existing";
const CREATE: &str = "create";

/// Decides whether the sender's address becomes an identity of the stack, unless the caller has: not when there is one.
pub(super) async fn decide(
    aws: &Connection,
    app: &App,
    target: &Target,
    given: &mut BTreeMap<String, String>,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let takes_it = |stack: &&stacks::Stack| {
        stack.template.parameters().any(|(name, _)| name == parameters::SENDER_IDENTITY)
    };
    let (false, Some(stack)) =
        (given.contains_key(parameters::SENDER_IDENTITY), app.stacks.iter().find(takes_it))
    else {
        return Ok(());
    };
    let name = target.stack_name(stack);
    let deployed = stack::describe(aws, &name).await?;
    // A stack that must be deleted first keeps nothing.
    let deployed = deployed.filter(|stack| before_deploy(Some(stack)) != Before::DeleteFirst);
    let before = |parameter: &str| deployed.as_ref().and_then(|stack| stack.parameters.get(parameter));
    let Some(sender) = given.get(parameters::EMAIL_FROM).or(before(parameters::EMAIL_FROM)) else {
        return Ok(());
    };
    // Decided before, by us or by somebody who knows better.
    let same = before(parameters::EMAIL_FROM) == Some(sender);
    if same && before(parameters::SENDER_IDENTITY).is_some_and(|choice| choice == EXISTING) {
        return Ok(());
    }
    let owned = match &deployed {
        Some(deployed) => owns(aws, &name, deployed, sender).await?,
        None => false,
    };
    let choice = if !owned && exists(aws, sender).await? {
        progress.update(Update::Note(&format!(
            "{sender}, or its domain, is an identity of SES already: it is used as it is"
        )));
        EXISTING
    } else {
        CREATE
    };
    given.insert(parameters::SENDER_IDENTITY.to_owned(), choice.to_owned());
    Ok(())
}

/// Whether the identity is a resource of the stack.
async fn owns(aws: &Connection, name: &str, stack: &Deployment, sender: &str) -> Result<bool, AwsError> {
    let resources = stack::resources(aws, name, stack).await?;
    Ok(resources
        .iter()
        .any(|resource| resource.resource_type == EMAIL_IDENTITY && resource.physical_id == sender))
}

/// Whether SES has the address, or may send for its whole domain.
/// <https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html>
async fn exists(aws: &Connection, sender: &str) -> Result<bool, AwsError> {
    if identity(aws, sender).await?.is_some() {
        return Ok(true);
    }
    let Some((_, domain)) = sender.rsplit_once('@') else { return Ok(false) };
    Ok(identity(aws, domain).await?.is_some_and(|verified| verified))
}

/// Whether the identity is verified; none when there is none.
async fn identity(aws: &Connection, identity: &str) -> Result<Option<bool>, AwsError> {
    match aws.ses.get_email_identity().email_identity(identity).send().await {
        Ok(answer) => Ok(Some(answer.verified_for_sending_status)),
        Err(error) if error.code() == Some("NotFoundException") => Ok(None),
        Err(error) => Err(call(format!(
            "ask SES whether it has {identity} (`--parameter {}={CREATE}` or `={EXISTING}` says it)",
            parameters::SENDER_IDENTITY
        ))(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::FakeAws;

    /// An SES that has these identities, verified or not.
    fn ses(identities: &'static [(&'static str, bool)]) -> FakeAws {
        FakeAws::answering(|request| {
            let asked = request.line.trim_start_matches("GET /v2/email/identities/").replace("%40", "@");
            match identities.iter().find(|(identity, _)| *identity == asked) {
                Some((_, verified)) => (200, format!(r#"{{"VerifiedForSendingStatus": {verified}}}"#)),
                None => (404, r#"{"__type": "NotFoundException", "message": "none"}"#.to_owned()),
            }
        })
    }

    #[tokio::test]
    async fn an_address_is_known_by_itself_or_by_its_verified_domain() {
        for (identities, expected) in [
            (&[][..], false),
            (&[("orders@example.com", false)], true),
            (&[("example.com", true)], true),
            (&[("example.com", false)], false),
            (&[("other@example.com", true)], false),
        ] {
            let fake = ses(identities);
            let exists = exists(&fake.connection(true), "orders@example.com").await.unwrap();
            assert_eq!(exists, expected, "{identities:?}: {:?}", fake.requests());
        }
    }

    #[tokio::test]
    async fn who_may_not_ask_is_told_how_to_say_it() {
        let denied = r#"{"__type": "AccessDeniedException", "message": "no"}"#;
        let fake = FakeAws::answering(|_| (403, denied.to_owned()));
        let error = exists(&fake.connection(true), "orders@example.com").await.unwrap_err().to_string();
        assert!(error.contains("`--parameter SenderIdentity=create` or `=existing`"), "{error}");
    }
}
