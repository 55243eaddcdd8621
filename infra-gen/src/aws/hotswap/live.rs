//! What runs, as Lambda and Step Functions know it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_lambda::types::LastUpdateStatus;
use aws_smithy_types::base64;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::definition::are_same;
use crate::aws::connection::Connection;
use crate::aws::error::{AwsError, call};
use crate::package::{self, PackageError};
use crate::project;

/// How long Lambda may take to have new code ready; seconds, as a rule.
const CODE_LIMIT: Duration = Duration::from_mins(5);

/// Gives a function this code and waits until it is what runs; false when it has it, or what it has cannot be compared.
pub(super) async fn swap_code(
    aws: &Connection,
    function: &str,
    bucket: &str,
    zip: &str,
) -> Result<bool, AwsError> {
    let wanted = digest(&package::folder(&project::root()?).join(zip))?;
    // What is being updated takes no other update.
    let sha256 = settled(aws, function).await?;
    if wanted.is_none() || sha256 == wanted {
        return Ok(false);
    }
    let update = aws.lambda.update_function_code().function_name(function).s3_bucket(bucket).s3_key(zip);
    update.send().await.map_err(call(format!("swap the code of function {function}")))?;
    settled(aws, function).await?;
    Ok(true)
}

/// Gives a state machine this definition; false when it has it. Executions that run keep the one they began with.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html>
pub(super) async fn swap_definition(
    aws: &Connection,
    arn: &str,
    definition: &Json,
) -> Result<bool, AwsError> {
    let machine = aws.sfn.describe_state_machine().state_machine_arn(arn).send().await;
    let machine = machine.map_err(call(format!("describe state machine {arn}")))?;
    let there = serde_json::from_str::<Json>(machine.definition());
    if there.is_ok_and(|there| are_same(&there, definition)) {
        return Ok(false);
    }
    let update = aws.sfn.update_state_machine().state_machine_arn(arn).definition(definition.to_string());
    update.send().await.map_err(call(format!("swap the definition of state machine {arn}")))?;
    Ok(true)
}

/// The SHA-256 of a zip as Lambda writes it, in base64; none when the file is not here, but in the bucket only.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>
fn digest(path: &Path) -> Result<Option<String>, PackageError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(base64::encode(Sha256::digest(bytes)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PackageError::Io { what: "read", path: path.to_owned(), source }),
    }
}

/// The digest of a function's code, once the last update is over.
async fn settled(aws: &Connection, function: &str) -> Result<Option<String>, AwsError> {
    let begun = Instant::now();
    loop {
        let answer = aws.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(call(format!("describe function {function}")))?;
        match answer.last_update_status {
            Some(LastUpdateStatus::InProgress) if begun.elapsed() < CODE_LIMIT => {
                tokio::time::sleep(aws.pause()).await;
            }
            Some(LastUpdateStatus::Successful) | None => return Ok(answer.code_sha256),
            Some(status) => {
                let (function, status) = (function.to_owned(), status.as_str().to_owned());
                return Err(AwsError::CodeNotSwapped { function, status });
            }
        }
    }
}
