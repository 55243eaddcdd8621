//! A table that can be restored to any second, and in production cannot be deleted by mistake.

use crate::draft::Draft;
use cfn::{
    Declare, Handle,
    dynamodb::{
        AttributeDefinition, AttributeType, BillingMode, KeySchema, PointInTimeRecovery, Sse, Table,
        TimeToLive,
    },
};

/// What tables differ in. Keys are text.
pub(crate) struct TableSpec {
    /// Who owns it.
    pub(crate) service: &'static str,
    /// The partition key.
    pub(crate) key: &'static str,
    /// The sort key.
    pub(crate) sort: Option<&'static str>,
    /// The attribute with the time after which an item is deleted.
    pub(crate) ttl: Option<&'static str>,
}

/// Adds a table.
///
/// It is encrypted with the account's key `aws/dynamodb`: its use shows in CloudTrail, and as its policy admits everyone
/// whom DynamoDB admits, no role needs a permission for it. The key that AWS owns would show nothing; a key of our own
/// would be one more thing that can be lost together with the data.
pub(crate) fn table(draft: &mut Draft, logical_id: &str, spec: &TableSpec) -> Handle<Table> {
    let keys = [KeySchema::hash(spec.key)].into_iter().chain(spec.sort.map(KeySchema::range));
    let attributes = [spec.key].into_iter().chain(spec.sort);
    let table = Table::new(keys)
        .attribute_definitions(attributes.map(|name| AttributeDefinition::new(name, AttributeType::String)))
        .billing_mode(BillingMode::PayPerRequest)
        .point_in_time_recovery(PointInTimeRecovery::new(true))
        .sse(Sse::new(true))
        .deletion_protection_enabled(draft.stage.is_production())
        .tags(draft.tags(spec.service));
    let table = match spec.ttl {
        Some(attribute) => table.time_to_live(TimeToLive::on(attribute)),
        None => table,
    };
    let table = table.suppress_check(
        "CKV_AWS_119",
        "Encrypted with the account's key aws/dynamodb, whose use CloudTrail shows; a key of our own would be one more \
         thing that can be lost together with the data",
    );
    draft.add_protected(logical_id, table)
}
