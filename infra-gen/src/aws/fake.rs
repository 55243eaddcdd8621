//! What answers like AWS in tests: for what no emulator does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::connection::Connection;
use super::endpoint::Endpoint;

/// A request that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// The method and the path: `PUT /bucket?policy`.
    pub(super) line: String,
    /// The operation, of services that name it: `DescribeStateMachine`.
    pub(super) operation: String,
    pub(super) body: String,
}

/// A server that answers as a test says.
pub(super) struct FakeAws {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeAws {
    /// `answer` gives the status and the body.
    pub(super) fn answering(answer: impl Fn(&Request) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&requests);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &answer, &seen);
            }
        });
        Self { url, requests }
    }

    /// A connection to it, which takes it for AWS or for an emulator.
    pub(super) fn connection(&self, emulator: bool) -> Connection {
        let config = config(&self.url, aws_smithy_http_client::Builder::new().build_http());
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Connection {
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            ses: aws_sdk_sesv2::Client::new(&config),
            sfn: aws_sdk_sfn::Client::new(&config),
            account: "123456789012".to_owned(),
            caller: "arn:aws:iam::123456789012:user/nancy".to_owned(),
            region: "eu-central-1".to_owned(),
            endpoint: if emulator { Endpoint::Custom(self.url.clone()) } else { Endpoint::Aws },
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// How a client reaches a URL by this HTTP client, once.
pub(super) fn config(url: &str, client: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .retry_config(RetryConfig::disabled())
        .build()
}

fn serve(stream: TcpStream, answer: &impl Fn(&Request) -> (u16, String), seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    let mut request = Request::default();
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        let header = line.trim_end();
        match header.split_once(": ") {
            None if request.line.is_empty() => request.line = header.trim_end_matches(" HTTP/1.1").to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("x-amz-target") => {
                request.operation = value.rsplit('.').next().unwrap_or_default().to_owned();
            }
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request.body = String::from_utf8_lossy(&body).into_owned();
    if let Some(action) = request.body.strip_prefix("Action=") {
        request.operation = action.split('&').next().unwrap_or_default().to_owned();
    }
    let (status, body) = answer(&request);
    let length = body.len();
    let body = if request.line.starts_with("HEAD") { String::new() } else { body };
    seen.lock().unwrap().push(request);
    // Whoever asked may be gone.
    let _ = write!(
        reader.get_mut(),
        "HTTP/1.1 {status} answer\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}
