//! A topic, encrypted, that takes messages over TLS only.

use crate::draft::Draft;
use cfn::{
    Declare, Handle, PolicyDocument, Statement,
    sns::{Topic, TopicPolicy, topic_policy},
};

/// The account's key of SNS. Its policy admits every principal of the account that SNS admits, so publishers need no
/// permission of their own; it cannot admit a service such as CloudWatch, or another account.
const AWS_MANAGED_KEY: &str = "alias/aws/sns";

/// Adds a topic that principals of this account publish on.
pub(crate) fn topic(draft: &mut Draft, logical_id: &str, service: &str) -> Handle<Topic> {
    let topic = Topic::new().kms_master_key_id(AWS_MANAGED_KEY).tags(draft.tags(service));
    draft.template.add(logical_id, topic)
}

/// Adds the policy of a topic: what holds everywhere; and, on AWS, over TLS only and what else is asked there.
pub(crate) fn policy(
    draft: &mut Draft,
    topic: &Handle<Topic>,
    everywhere: impl IntoIterator<Item = Statement>,
    on_aws: impl IntoIterator<Item = Statement>,
) {
    let condition = draft.on_aws();
    let id = format!("{}Policy", topic.logical_id());
    let everywhere: Vec<_> = everywhere.into_iter().collect();
    let on_aws = [topic_policy::deny_insecure_transport(topic)].into_iter().chain(on_aws);
    if everywhere.is_empty() {
        // A policy without statements is none.
        let policy = TopicPolicy::new(PolicyDocument::new(on_aws), [topic]);
        draft.template.add(id, policy.condition(&condition));
    } else {
        let on_aws = on_aws.map(|statement| statement.only_if(&condition));
        draft
            .template
            .add(id, TopicPolicy::new(PolicyDocument::new(everywhere.into_iter().chain(on_aws)), [topic]));
    }
}
