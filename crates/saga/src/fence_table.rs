//! The attributes of a fence table in DynamoDB: the stacks declare the key and the expiry, the functions read and
//! write the items.

/// The partition key, text: the saga id.
pub const SAGA_ID: &str = "saga_id";

/// The sort key, text: saga, step and perhaps item, see [`StepKey::place`](crate::StepKey::place).
pub const STEP: &str = "step";

/// Text: the [digest](crate::RunDigest) of the run that wrote it; not there for one of version 1.
pub const RUN: &str = "run";

/// Text: the name of the [state](crate::fence::FenceState).
pub const STATE: &str = "state";

/// Text: the step's output as JSON, when done.
pub const OUTPUT: &str = "output";

/// Text: the writes that reverse the step as JSON, when done.
pub const INVERSE: &str = "inverse";

/// Text: the rejection's wire name, when rejected.
pub const ERROR: &str = "error";

/// Text: the rejection as JSON, when rejected.
pub const CAUSE: &str = "cause";

/// Text: the name of the state until then, when abandoned.
pub const WAS: &str = "was";

/// Number: the [turn](crate::fence::Recorded::turn) of an undone one; not there for the first.
pub const TURN: &str = "turn";

/// Text: when the fence was written, ISO 8601. For people.
pub const AT: &str = "at";

/// Number: when the item may be deleted, in seconds since 1970: the table's time-to-live attribute.
pub const EXPIRES_AT: &str = "expires_at";
