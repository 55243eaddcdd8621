//! Whose a resource type is: of AWS and known by its facts, or of others.

use crate::custom::is_custom;

/// Organizations whose types are not those of others.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RegisterType.html>
const RESERVED: [&str; 6] = ["Alexa", "AMZN", "Amazon", "AWS", "Custom", "Dev"];

/// Who says what resources of a type take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// AWS, or nobody: the facts tell.
    Aws,
    /// The author of the template: `Custom::Type`.
    Custom,
    /// Whoever registered the type: `Organization::Service::Type`.
    Registry,
    /// Whoever registered the module, which becomes resources: `Organization::Service::Type::MODULE`.
    Module,
    /// The CDK, which counts its users by it.
    Cdk,
}

/// Whose this resource type is.
pub(crate) fn of(resource_type: &str) -> Origin {
    let parts: Vec<&str> = resource_type.split("::").collect();
    let is_name =
        |part: &&str| (2..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    match parts.as_slice() {
        _ if is_custom(resource_type) => Origin::Custom,
        ["AWS", "CDK", "Metadata"] => Origin::Cdk,
        [name @ .., "MODULE"] if name.len() == 3 && name.iter().all(is_name) => Origin::Module,
        [organization, _, _] if parts.iter().all(is_name) && !is_reserved(organization) => Origin::Registry,
        _ => Origin::Aws,
    }
}

/// Whether resources of this type are a module.
pub(crate) fn is_module(resource_type: &str) -> bool {
    of(resource_type) == Origin::Module
}

fn is_reserved(organization: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(organization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_origin() {
        for (resource_type, expected) in [
            ("AWS::SQS::Queue", Origin::Aws),
            ("AWS::SQS::Que", Origin::Aws),
            ("Aws::SQS::Queue", Origin::Aws),
            ("Alexa::ASK::Skill", Origin::Aws),
            ("Initech::TPS", Origin::Aws),
            ("Initech::TPS::Report::Cover", Origin::Aws),
            ("Initech::T-P::Report", Origin::Aws),
            ("", Origin::Aws),
            ("Custom::Lookup", Origin::Custom),
            ("AWS::CloudFormation::CustomResource", Origin::Custom),
            ("Initech::TPS::Report", Origin::Registry),
            ("Initech::Net::Vpc::MODULE", Origin::Module),
            ("Net::Vpc::MODULE", Origin::Registry),
            ("AWS::CDK::Metadata", Origin::Cdk),
        ] {
            assert_eq!(of(resource_type), expected, "{resource_type}");
        }
    }
}
