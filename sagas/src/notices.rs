//! Who makes something of the notices of the sagas. All of them are published on one topic.

use crate::{
    cancel::{CancellationAccepted, CancellationRefused},
    environment,
    order::{OrderConfirmed, OrderRejected},
};
use saga::{Notice, NoticeConsumer};

/// Tells customers.
pub const NOTIFICATION: NoticeConsumer = NoticeConsumer {
    name: environment::NOTIFICATION,
    handles: &[
        OrderConfirmed::NAME,
        OrderRejected::NAME,
        CancellationAccepted::NAME,
        CancellationRefused::NAME,
    ],
};

/// The wire names of the notices that no function of this deployment handles: they are for others, who subscribe to the
/// topic.
pub const FOR_OTHERS: &[&str] = &[];
