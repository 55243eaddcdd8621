//! Where AWS is.

use crate::package::Arch;

/// Where AWS is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// At its own addresses.
    Aws,
    /// At this URL, without a slash at its end.
    Custom(String),
}

impl Endpoint {
    /// From the SDK's endpoint URL, if one is configured.
    pub(super) fn of(url: Option<&str>) -> Self {
        match url.map(|url| url.trim_end_matches('/')) {
            None | Some("") => Self::Aws,
            Some(url) => Self::Custom(url.to_owned()),
        }
    }

    /// Whether it is a local emulator: plain HTTP. There TLS cannot be asked for.
    pub(super) fn is_local_emulator(&self) -> bool {
        match self {
            Self::Aws => false,
            Self::Custom(url) => url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")),
        }
    }

    /// For which processors functions are built where nobody says.
    pub(super) fn usual_arch(&self) -> Arch {
        if self.is_local_emulator() { Arch::Host } else { Arch::Arm64 }
    }

    /// The URL at which CloudFormation finds an object. Emulators understand a bucket in the path only.
    pub(super) fn object_url(&self, region: &str, bucket: &str, key: &str) -> String {
        match self {
            Self::Custom(url) => format!("{url}/{bucket}/{key}"),
            Self::Aws if region.starts_with("cn-") => {
                format!("https://{bucket}.s3.{region}.amazonaws.com.cn/{key}")
            }
            Self::Aws => format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_a_local_emulator() {
        for (url, local) in [
            (None, false),
            (Some(""), false),
            (Some("http://127.0.0.1:4566"), true),
            (Some("HTTP://localhost:4566/"), true),
            (Some("https://localhost.localstack.cloud:4566"), false),
            (Some("https://vpce-1.cloudformation.eu-west-1.vpce.amazonaws.com"), false),
        ] {
            assert_eq!(Endpoint::of(url).is_local_emulator(), local, "{url:?}");
        }
    }

    #[test]
    fn objects_have_the_url_their_endpoint_understands() {
        let local = Endpoint::of(Some("http://127.0.0.1:4566/"));
        assert_eq!(
            local.object_url("us-east-1", "b", "templates/x.yaml"),
            "http://127.0.0.1:4566/b/templates/x.yaml"
        );
        assert_eq!(Endpoint::Aws.object_url("eu-west-1", "b", "k"), "https://b.s3.eu-west-1.amazonaws.com/k");
        assert_eq!(
            Endpoint::Aws.object_url("cn-north-1", "b", "k"),
            "https://b.s3.cn-north-1.amazonaws.com.cn/k"
        );
    }
}
