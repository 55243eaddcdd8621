//! The bucket with the functions' zips and the large templates.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier, ObjectOwnership,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde_json::json;

use super::Target;
use super::connection::Connection;
use super::error::{AwsError, call};

/// The artifact bucket of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    name: String,
}

impl Bucket {
    /// The bucket of the deployment, whether it exists or not.
    pub(super) fn of(aws: &Connection, target: &Target) -> Self {
        Self { name: format!("{}-artifacts-{}-{}", target.name(), aws.account, aws.region) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it exists and is ours.
    pub(super) async fn exists(&self, aws: &Connection) -> Result<bool, AwsError> {
        let answer = aws.s3.head_bucket().bucket(&self.name).expected_bucket_owner(&aws.account).send().await;
        found(answer, format!("look for the bucket {}", self.name))
    }

    /// Sees to it that it is there, encrypted, private, owned by the account, and reached over TLS only unless at an emulator
    /// without TLS. Each time, not only when it is created: a creation can have been cut short. Returns whether it is new.
    pub(super) async fn ensure(&self, aws: &Connection) -> Result<bool, AwsError> {
        let is_new = !self.exists(aws).await?;
        if is_new {
            self.create(aws).await?;
        }
        self.make_private(aws).await?;
        self.encrypt(aws).await?;
        if !aws.endpoint.is_local_emulator() {
            self.allow_tls_only(aws).await?;
        }
        Ok(is_new)
    }

    async fn create(&self, aws: &Connection) -> Result<(), AwsError> {
        // The oldest region is the default and must not be named.
        let place = (aws.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(aws.region.as_str()))
                .build()
        });
        let created = aws
            .s3
            .create_bucket()
            .bucket(&self.name)
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .set_create_bucket_configuration(place)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            // By another deployment that began when this one did.
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(call(format!("create the bucket {}", self.name))(error)),
        }
    }

    async fn make_private(&self, aws: &Connection) -> Result<(), AwsError> {
        let blocked = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        aws.s3
            .put_public_access_block()
            .bucket(&self.name)
            .expected_bucket_owner(&aws.account)
            .public_access_block_configuration(blocked)
            .send()
            .await
            .map_err(call(format!("make the bucket {} private", self.name)))?;
        Ok(())
    }

    async fn allow_tls_only(&self, aws: &Connection) -> Result<(), AwsError> {
        aws.s3
            .put_bucket_policy()
            .bucket(&self.name)
            .expected_bucket_owner(&aws.account)
            .policy(self.tls_only_policy(aws.partition()))
            .send()
            .await
            .map_err(call(format!("allow only TLS for the bucket {}", self.name)))?;
        Ok(())
    }

    async fn encrypt(&self, aws: &Connection) -> Result<(), AwsError> {
        let what = || format!("encrypt the bucket {}", self.name);
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .map_err(|error| call_build(what(), &error))?;
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
        let configuration = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .map_err(|error| call_build(what(), &error))?;
        aws.s3
            .put_bucket_encryption()
            .bucket(&self.name)
            .expected_bucket_owner(&aws.account)
            .server_side_encryption_configuration(configuration)
            .send()
            .await
            .map_err(call(what()))?;
        Ok(())
    }

    fn tls_only_policy(&self, partition: &str) -> String {
        let arn = format!("arn:{partition}:s3:::{}", self.name);
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            }],
        })
        .to_string()
    }

    /// Whether the object is there.
    pub(super) async fn has(&self, aws: &Connection, key: &str) -> Result<bool, AwsError> {
        let answer =
            aws.s3.head_object().bucket(&self.name).key(key).expected_bucket_owner(&aws.account).send().await;
        found(answer, format!("look for {key} in the bucket {}", self.name))
    }

    /// Uploads an object.
    pub(super) async fn put(&self, aws: &Connection, key: &str, bytes: Vec<u8>) -> Result<(), AwsError> {
        aws.s3
            .put_object()
            .bucket(&self.name)
            .key(key)
            .expected_bucket_owner(&aws.account)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(call(format!("upload {key} to the bucket {}", self.name)))?;
        Ok(())
    }

    /// Removes every object and the bucket. Returns how many objects there were.
    pub(super) async fn remove(&self, aws: &Connection) -> Result<usize, AwsError> {
        let mut removed = 0;
        loop {
            let page = aws
                .s3
                .list_objects_v2()
                .bucket(&self.name)
                .expected_bucket_owner(&aws.account)
                .send()
                .await
                .map_err(call(format!("list the bucket {}", self.name)))?;
            let keys: Vec<_> = page.contents().iter().filter_map(|object| object.key()).collect();
            if keys.is_empty() {
                break;
            }
            removed += keys.len();
            self.remove_objects(aws, &keys).await?;
        }
        aws.s3
            .delete_bucket()
            .bucket(&self.name)
            .expected_bucket_owner(&aws.account)
            .send()
            .await
            .map_err(call(format!("delete the bucket {}", self.name)))?;
        Ok(removed)
    }

    async fn remove_objects(&self, aws: &Connection, keys: &[&str]) -> Result<(), AwsError> {
        let what = || format!("empty the bucket {}", self.name);
        let mut delete = Delete::builder().quiet(true);
        for key in keys {
            let object = ObjectIdentifier::builder().key(*key).build();
            delete = delete.objects(object.map_err(|error| call_build(what(), &error))?);
        }
        let delete = delete.build().map_err(|error| call_build(what(), &error))?;
        let answer = aws
            .s3
            .delete_objects()
            .bucket(&self.name)
            .expected_bucket_owner(&aws.account)
            .delete(delete)
            .send()
            .await
            .map_err(call(what()))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => Err(AwsError::Call {
                what: what(),
                source: super::CallError::new(error.code(), error.message().unwrap_or_default()),
            }),
        }
    }
}

/// What a HEAD request found: it is answered without a body, so only the status tells.
fn found<T, E>(answer: Result<T, SdkError<E>>, what: String) -> Result<bool, AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => {
            Ok(false)
        }
        Err(error) => Err(call(what)(error)),
    }
}

fn call_build(what: String, error: &aws_sdk_s3::error::BuildError) -> AwsError {
    AwsError::Call { what, source: super::CallError::new(None, &error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::FakeAws;
    use stacks::Stage;

    const NAME: &str = "flyover-prod-artifacts-123456789012-eu-central-1";

    /// What is asked of an S3 where the bucket is there, or not.
    async fn asked(is_there: bool, emulator: bool) -> (bool, Vec<String>) {
        let fake = FakeAws::answering(move |request| {
            let missing = request.line.starts_with("HEAD") && !is_there;
            (if missing { 404 } else { 200 }, String::new())
        });
        let aws = fake.connection(emulator);
        let is_new =
            Bucket::of(&aws, &Target::new("flyover", Stage::Prod, stacks::synth)).ensure(&aws).await.unwrap();
        let lines = fake.requests().into_iter().map(|request| {
            let line = request.line.replace(NAME, "B");
            if request.body.contains("aws:SecureTransport") { format!("{line} TlsOnly") } else { line }
        });
        (is_new, lines.collect())
    }

    const GUARDS: [&str; 2] = ["PUT /B/?publicAccessBlock", "PUT /B/?encryption"];
    const TLS: &str = "PUT /B/?policy TlsOnly";

    /// As after a creation that was cut short.
    #[tokio::test]
    async fn a_bucket_that_is_there_is_guarded_as_one_that_is_new() {
        let (is_new, lines) = asked(true, false).await;
        assert!(!is_new);
        assert_eq!(lines, [&["HEAD /B/"], &GUARDS[..], &[TLS]].concat());
        let (is_new, lines) = asked(false, false).await;
        assert!(is_new);
        assert_eq!(lines, [&["HEAD /B/", "PUT /B/"], &GUARDS[..], &[TLS]].concat());
    }

    #[tokio::test]
    async fn an_emulator_without_tls_is_not_told_to_ask_for_it() {
        assert_eq!(asked(true, true).await.1, [&["HEAD /B/"], &GUARDS[..]].concat());
    }
}
