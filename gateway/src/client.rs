//! How an HTTP client towards a gateway is made.

use reqwest::{Client, ClientBuilder, NoProxy, Proxy};

/// This very machine, at which a proxy would look on its own.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// A builder of HTTP clients that speak TLS with the cryptography of the AWS clients (`ring`), through the proxies that the
/// environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), but to this machine directly.
///
/// The crate `reqwest` is built without cryptography of its own, so that a Lambda function carries one and not two;
/// its plain `Client::new` panics until some provider is installed for the process, which this does.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let client = gateway::client_builder().timeout(Duration::from_secs(5)).build()?;
/// # drop(client);
/// # Ok::<(), reqwest::Error>(())
/// ```
pub fn client_builder() -> ClientBuilder {
    // An error says that a provider is installed already: that one will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    with_proxies(|name| std::env::var(name).ok())
}

/// The proxies of the environment as `reqwest` itself takes them, without this machine.
fn with_proxies(variable: impl Fn(&str) -> Option<String>) -> ClientBuilder {
    let given = |upper: &str| {
        [upper.to_owned(), upper.to_ascii_lowercase()]
            .into_iter()
            .find_map(|name| variable(&name).filter(|value| !value.is_empty()))
    };
    let direct = [THIS_MACHINE.to_owned()].into_iter().chain(given("NO_PROXY")).collect::<Vec<_>>().join(",");
    let no_proxy = NoProxy::from_string(&direct);
    let proxies = [
        given("HTTP_PROXY").map(Proxy::http),
        given("HTTPS_PROXY").map(Proxy::https),
        given("ALL_PROXY").map(Proxy::all),
    ];
    // What is no URL is left out, as `reqwest` leaves it out.
    let proxies = proxies.into_iter().flatten().filter_map(Result::ok);
    proxies
        .fold(Client::builder().no_proxy(), |builder, proxy| builder.proxy(proxy.no_proxy(no_proxy.clone())))
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;
    use crate::Gateway;

    /// Nobody answers at port 9.
    #[tokio::test]
    async fn a_proxy_is_not_asked_for_this_machine() {
        let gateway = Gateway::start(0).await.unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            let dead = |asked: &str| (asked == name).then(|| "http://127.0.0.1:9".to_owned());
            let client = with_proxies(dead).build().unwrap();
            assert!(client.get(gateway.url()).send().await.is_ok(), "{name}");
            assert!(
                client.get("http://gateway.example.com").send().await.unwrap_err().is_connect(),
                "{name}"
            );
        }
    }
}
