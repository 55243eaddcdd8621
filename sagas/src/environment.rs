//! The environment variables of this deployment's functions beside those of `saga::environment`. The stacks set them,
//! the functions read them.

/// The base URL of the payment gateway, for example `https://gateway.example.com`.
pub const GATEWAY_URL: &str = "FLYOVER_GATEWAY_URL";

/// The verified sender of e-mails.
pub const EMAIL_FROM: &str = "FLYOVER_EMAIL_FROM";

/// The name of the function that takes orders.
pub const ORDER_INTAKE: &str = "order-intake";

/// The name of the function that tells customers, and of its queue; its URL is in `saga::environment::queue` of this
/// name.
pub const NOTIFICATION: &str = "notification";

/// The variable with the name of the table of claims; see [`crate::claims_table`].
pub const CLAIMS_TABLE: &str = "FLYOVER_CLAIMS_TABLE";

/// The variable with how long a claim is kept, in whole seconds.
pub const CLAIM_TTL_SECONDS: &str = "FLYOVER_CLAIM_TTL_SECONDS";

/// The name of the queue that keeps refused orders; its URL is in `saga::environment::queue` of this name.
pub const REFUSED_ORDERS: &str = "refused-orders";

/// The `event` of the log line that order intake writes for each refused event; a metric filter counts them.
pub const ORDER_REFUSED_EVENT: &str = "order_refused";

/// How old a charge is before reconciliation looks at it, in whole seconds.
pub const RECONCILIATION_GRACE_SECONDS: &str = "FLYOVER_RECONCILIATION_GRACE_SECONDS";

/// How old a charge can be for reconciliation to still look at it, in whole seconds.
pub const RECONCILIATION_WINDOW_SECONDS: &str = "FLYOVER_RECONCILIATION_WINDOW_SECONDS";

/// The age from which on every saga has decided about its charge, in whole seconds: its longest path.
pub const SAGA_LONGEST_SECONDS: &str = "FLYOVER_SAGA_LONGEST_SECONDS";

/// How many charges one sweep of reconciliation refunds at most, a whole number: would it be more, it refunds none.
pub const MAX_REFUNDS: &str = "FLYOVER_MAX_REFUNDS";

/// What share of the deployment's charges that it sees one sweep of reconciliation refunds at most, in whole percent:
/// would it be more, it refunds none.
pub const MAX_REFUND_PERCENT: &str = "FLYOVER_MAX_REFUND_PERCENT";

/// The `event` of the log line that reconciliation writes for each orphaned charge it has refunded; a metric filter
/// counts them.
pub const ORPHANED_CHARGE_REFUNDED_EVENT: &str = "orphaned_charge_refunded";

/// The `event` of the log line that reconciliation writes for each charge that only people can judge; a metric filter
/// counts them.
pub const UNSETTLED_CHARGE_EVENT: &str = "unsettled_charge";

/// The `event` of the log line that reconciliation writes when it refunds none because they would be too many; a metric
/// filter counts them.
pub const REFUND_BRAKE_EVENT: &str = "refund_brake";

/// The `event` of the log line that reconciliation writes, in each sweep, for each charge whose step an operator went on
/// without. It is no reason for an alarm: who skipped the step knows.
pub const ABANDONED_CHARGE_EVENT: &str = "abandoned_charge";
