//! Templates on their way to and from CloudFormation.

use aws_sdk_cloudformation::types::TemplateStage;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use stacks::Stack;

use super::bucket::Bucket;
use super::connection::Connection;
use super::error::{AwsError, call};
use super::progress::{Progress, Update};
use super::stack::Deployment;

/// The most bytes of a template that CloudFormation takes in a request.
const MAX_INLINE_BYTES: usize = 51_200;

/// How much of a template's SHA-256 is in its key.
const DIGEST_BYTES: usize = 16;

/// How CloudFormation gets a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// In the request.
    Inline(String),
    /// From this URL.
    At(String),
}

/// The template, uploaded when it is too large for a request. Under its digest: what a stack is made of is never
/// overwritten by another deployment, or by a later one while CloudFormation still reads it.
pub(super) async fn body(
    aws: &Connection,
    bucket: &Bucket,
    stack: &str,
    text: &str,
    progress: &mut dyn Progress,
) -> Result<Body, AwsError> {
    if text.len() <= MAX_INLINE_BYTES {
        return Ok(Body::Inline(text.to_owned()));
    }
    let key = key(stack, text);
    if !bucket.has(aws, &key).await? {
        bucket.put(aws, &key, text.as_bytes().to_vec()).await?;
        progress.update(Update::Uploaded { key: &key, bytes: text.len() as u64 });
    }
    Ok(Body::At(aws.endpoint.object_url(&aws.region, bucket.name(), &key)))
}

fn key(stack: &str, text: &str) -> String {
    let digest: String =
        Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("templates/{stack}-{digest}.yaml")
}

/// The template that a stack shall have.
pub(super) fn wanted(name: &str, stack: &Stack) -> Result<Json, AwsError> {
    serde_json::from_str(stack.template.to_json())
        .map_err(|error| AwsError::Template { stack: name.to_owned(), reason: error.to_string() })
}

/// The template that a stack was deployed with.
pub(super) async fn deployed(aws: &Connection, name: &str, stack: &Deployment) -> Result<Json, AwsError> {
    let answer = aws
        .cloudformation
        .get_template()
        .stack_name(&stack.id)
        .template_stage(TemplateStage::Original)
        .send()
        .await
        .map_err(call(format!("read the template of stack {name}")))?;
    parse(answer.template_body().unwrap_or_default())
        .map_err(|reason| AwsError::Template { stack: name.to_owned(), reason })
}

/// A template, in YAML or in JSON, which is YAML too.
fn parse(text: &str) -> Result<Json, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stacks::Stage;

    #[test]
    fn what_we_deploy_can_be_read_back() {
        for stage in Stage::ALL {
            for stack in stacks::synth(stage).unwrap().stacks {
                let json: Json = serde_json::from_str(stack.template.to_json()).unwrap();
                assert_eq!(parse(stack.template.to_yaml()), Ok(json.clone()), "{}", stack.id);
                assert_eq!(parse(stack.template.to_json()), Ok(json), "{}", stack.id);
            }
        }
    }

    #[test]
    fn another_template_has_another_key() {
        assert_eq!(
            key("flyover-dev-app", "a"),
            "templates/flyover-dev-app-ca978112ca1bbdcafac231b39a23dc4d.yaml"
        );
        assert_ne!(key("flyover-dev-app", "a"), key("flyover-dev-app", "b"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert!(parse("Resources: [").is_err());
    }
}
