//! HTTP as the environment says it (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), and never through a proxy to this
//! very machine: a proxy would look for the emulator, or for the credentials, on its own.

use std::net::IpAddr;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The client that goes through the proxies of the environment.
pub(super) fn client() -> SharedHttpClient {
    through(ProxyConfig::from_env())
}

fn through(proxy: ProxyConfig) -> SharedHttpClient {
    SharedHttpClient::new(Clients { proxied: with(proxy), direct: with(ProxyConfig::disabled()) })
}

fn with(proxy: ProxyConfig) -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Builder::new().build_with_connector_fn(move |settings, _| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.tls_provider(provider.clone()).build()
    })
}

#[derive(Debug)]
struct Clients {
    proxied: SharedHttpClient,
    direct: SharedHttpClient,
}

impl HttpClient for Clients {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connectors {
            proxied: self.proxied.http_connector(settings, components),
            direct: self.direct.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct Connectors {
    proxied: SharedHttpConnector,
    direct: SharedHttpConnector,
}

impl HttpConnector for Connectors {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if is_this_machine(request.uri()) { &self.direct } else { &self.proxied };
        connector.call(request)
    }
}

/// Whether the URL is one of this machine.
fn is_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{FakeAws, config};

    #[test]
    fn this_machine_is_known_by_every_name() {
        for url in [
            "http://127.0.0.1:4566/path",
            "http://127.9.9.9",
            "https://LOCALHOST:443?x=1",
            "http://sync-states.localhost:4566/",
            "http://[::1]:4566/",
            "http://user:word@localhost/",
        ] {
            assert!(is_this_machine(url), "{url}");
        }
        for url in [
            "https://sqs.eu-central-1.amazonaws.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost:4566@example.com/",
            "http://169.254.169.254/latest",
            "http://[2001:db8::1]/",
        ] {
            assert!(!is_this_machine(url), "{url}");
        }
    }

    /// Nobody answers at port 9.
    #[tokio::test]
    async fn this_machine_is_asked_directly_whatever_the_proxy() {
        let fake = FakeAws::answering(|_| (200, r#"{"stateMachines": []}"#.to_owned()));
        let ask = async |url: &str| {
            let client = through(ProxyConfig::all("http://127.0.0.1:9").unwrap());
            aws_sdk_sfn::Client::new(&config(url, client)).list_state_machines().send().await
        };
        assert!(ask(fake.url()).await.is_ok());
        assert!(ask("http://states.example.com").await.is_err());
        assert_eq!(fake.requests().len(), 1);
    }
}
