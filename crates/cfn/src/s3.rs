//! Amazon S3: buckets and their policies.

use crate::kind::Arn;
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/s3.rs"));

pub use bucket::{
    BucketEncryption, LifecycleConfiguration as Lifecycle, OwnershipControls,
    PublicAccessBlockConfiguration as PublicAccessBlock, VersioningConfiguration as Versioning,
};

impl PublicAccessBlock {
    /// All ways are blocked.
    #[must_use]
    pub fn all() -> Self {
        Self::new()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
    }
}

/// Statements for the policy of a bucket.
pub mod bucket_policy {
    use super::{Arn, Bucket, Value};
    use crate::kind::AnyArn;
    use crate::policy::{Principal, Statement};

    /// Denies every request that does not come over TLS.
    #[must_use]
    pub fn deny_insecure_transport(bucket: impl Into<Value<Arn<Bucket>>>) -> Statement {
        let bucket = bucket.into();
        Statement::deny(["s3:*"])
            .sid("DenyInsecureTransport")
            .principal(Principal::Everyone)
            .on(bucket.suffixed("/*"))
            .on(Value::<AnyArn>::from(bucket))
            .when("Bool", "aws:SecureTransport", "false")
    }
}
