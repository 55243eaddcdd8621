//! How an HTTP client towards a gateway is made.

use reqwest::{Client, ClientBuilder};

/// A builder of HTTP clients that speak TLS with the cryptography of the AWS clients (`ring`).
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
    Client::builder()
}
