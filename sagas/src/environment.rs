//! The environment variables of this deployment's functions beside those of `saga::environment`. The stacks set them,
//! the functions read them.

/// The base URL of the payment gateway, for example `https://gateway.example.com`.
pub const GATEWAY_URL: &str = "FLYOVER_GATEWAY_URL";

/// The verified sender of e-mails.
pub const EMAIL_FROM: &str = "FLYOVER_EMAIL_FROM";

/// The name of the queue that keeps refused orders; its URL is in `saga::environment::queue` of this name.
pub const REFUSED_ORDERS: &str = "refused-orders";

/// The `event` of the log line that order intake writes for each refused event; a metric filter counts them.
pub const ORDER_REFUSED_EVENT: &str = "order_refused";
