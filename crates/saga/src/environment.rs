//! The names of the environment variables by which the stacks tell the functions where things are. Both sides call
//! these, so they cannot drift apart.

/// The variable with the name of an entity's table: `FLYOVER_TABLE_<ENTITY>`.
pub fn table(entity: &str) -> String {
    format!("FLYOVER_TABLE_{}", upper(entity))
}

/// The variable with the name of the deployment.
pub const DEPLOYMENT: &str = "FLYOVER_DEPLOYMENT";

/// The variable with the name of the stage.
pub const STAGE: &str = "FLYOVER_STAGE";

/// The variable with the name of the participant's fence table.
pub const FENCE_TABLE: &str = "FLYOVER_FENCE_TABLE";

/// The variable with how long a fence is kept, in whole seconds.
pub const FENCE_TTL_SECONDS: &str = "FLYOVER_FENCE_TTL_SECONDS";

/// The variable with the name of the table of parked sagas.
pub const PARKED_TABLE: &str = "FLYOVER_PARKED_TABLE";

/// The variable with how often the participant's queue delivers a message.
pub const MAX_RECEIVE_COUNT: &str = "FLYOVER_MAX_RECEIVE_COUNT";

/// The variable with the URL of the function's dead-letter queue.
pub const DEAD_LETTER_QUEUE: &str = "FLYOVER_DEAD_LETTER_QUEUE";

/// The variable with the ARN of a saga's state machine, for functions that start it: `FLYOVER_SAGA_<NAME>`.
pub fn state_machine(saga: &str) -> String {
    format!("{STATE_MACHINES}{}", upper(saga))
}

/// How the variables with the ARNs of state machines begin, for functions that look at every saga.
pub const STATE_MACHINES: &str = "FLYOVER_SAGA_";

/// The variable with how many messages participants may have in their queues before sagas are held back that ask them.
pub const MAX_BACKLOG: &str = "FLYOVER_MAX_BACKLOG";

/// The variable with how long a dead execution is left to its event, in whole seconds.
pub const RESCUE_DELAY_SECONDS: &str = "FLYOVER_RESCUE_DELAY_SECONDS";

/// The variable with how long ago an execution can have died to be still looked for, in whole seconds.
pub const SWEEP_WINDOW_SECONDS: &str = "FLYOVER_SWEEP_WINDOW_SECONDS";

/// The variable with how long after its death an unsettled execution is for people to see, in whole seconds.
pub const UNSETTLED_AFTER_SECONDS: &str = "FLYOVER_UNSETTLED_AFTER_SECONDS";

/// The variable with the URL of a queue: `FLYOVER_QUEUE_<NAME>`.
pub fn queue(name: &str) -> String {
    format!("{QUEUES}{}", upper(name))
}

/// How the variables with the URLs of queues begin.
pub const QUEUES: &str = "FLYOVER_QUEUE_";

fn upper(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_spelt_in_capitals() {
        assert_eq!(table("order-lines"), "FLYOVER_TABLE_ORDER_LINES");
        assert_eq!(state_machine("cancel-order"), "FLYOVER_SAGA_CANCEL_ORDER");
        assert_eq!(queue("refused-orders"), "FLYOVER_QUEUE_REFUSED_ORDERS");
    }
}
