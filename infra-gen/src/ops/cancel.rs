//! `cancel`: an order is cancelled for its customer, as if the customer had published the wish.

use super::run::Run;
use super::{Operations, OpsError, State};
use crate::aws::call;
use sagas::cancel::{self, cancel_saga};
use sagas::customer::Customer;
use sagas::events::{CancelRequested, OrderEvent};
use sagas::order::order_saga;
use serde::Serialize;

/// A wish to cancel that was published. Whether it comes in time, the saga `cancel-order` finds out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cancelled {
    /// The order's id.
    pub id: String,
    /// The id of the published message.
    pub message_id: String,
}

impl Operations {
    /// Publishes the wish to cancel an order, in the name of its customer, who is told how it ended.
    ///
    /// # Errors
    /// When there is no such order, it cannot be cancelled any more, or it is being cancelled; or when AWS cannot be
    /// asked.
    pub async fn cancel(&self, order: &str) -> Result<Cancelled, OpsError> {
        let saga = order_saga().definition().name;
        let run = self.run_of(saga, order).await?;
        let run = run.ok_or_else(|| OpsError::NotFound(format!("there is no order {order}")))?;
        let parked = self.parked_executions().await?;
        check_state(order, run.row(&parked).state)?;
        let customer = customer_of(&run)?;
        let cancel = cancel::saga_id(order, &customer.id);
        if let Some(cancel) = self.run_of(cancel_saga().definition().name, &cancel).await? {
            let row = cancel.row(&parked);
            let how = row.error.map(|error| format!(", {error}")).unwrap_or_default();
            return Err(OpsError::Refused(format!(
                "{order} was asked to be cancelled before: saga {} is {}{how}",
                cancel.saga, row.state
            )));
        }
        let event = OrderEvent::CancelOrder(CancelRequested { order_id: order.to_owned(), customer });
        let body = serde_json::to_string(&event)
            .map_err(|error| OpsError::unreadable("the wish to cancel", error.to_string()))?;
        let published = self
            .sns
            .publish()
            .topic_arn(self.output(stacks::outputs::ORDER_TOPIC_ARN)?)
            .message(body)
            .send()
            .await
            .map_err(call("publish on the order topic"))?;
        Ok(Cancelled { id: order.to_owned(), message_id: published.message_id.unwrap_or_default() })
    }
}

/// Refuses to cancel what is decided or what only an operator moves.
fn check_state(order: &str, state: State) -> Result<(), OpsError> {
    let why = match state {
        State::Running => return Ok(()),
        State::Committed | State::Compensated | State::Settled | State::Succeeded => {
            "it has ended: too late to cancel"
        }
        State::Parked => "it waits for an operator: `retry` or `skip`",
        State::Settling => "it is being settled: see how that ends",
        State::Failed | State::TimedOut | State::Aborted => "its execution died: `settle` it",
    };
    Err(OpsError::Refused(format!("order {order} is {state}: {why}")))
}

/// Who ordered, from the input of the execution.
fn customer_of(run: &Run) -> Result<Customer, OpsError> {
    let customer = run.first.input["input"]["customer"].clone();
    // Not the error's text: it can quote the customer.
    serde_json::from_value(customer).map_err(|_| {
        OpsError::unreadable(format!("the input of execution {}", run.first.name), "it names no customer")
    })
}

#[cfg(test)]
mod tests {
    use super::super::run::tests::execution;
    use super::*;
    use saga_executions::Status;
    use serde_json::{Value as Json, json};

    #[test]
    fn only_a_running_order_is_cancelled() {
        for state in State::ALL {
            let checked = check_state("o-1", state);
            assert_eq!(checked.is_ok(), state == State::Running, "{state}");
        }
        let error = check_state("o-1", State::Committed).unwrap_err().to_string();
        assert_eq!(error, "refused: order o-1 is committed: it has ended: too late to cancel");
    }

    #[test]
    fn the_customer_is_read_from_the_input_and_never_quoted() {
        let mut first = execution("o-1", Status::Running, Json::Null);
        let customer = json!({ "id": "c-1", "email": "nancy@example.com" });
        first.input = json!({ "v": 1, "id": "o-1", "input": { "customer": customer } });
        let mut run = Run { saga: "order", id: "o-1".to_owned(), first, settling: Vec::new() };
        assert_eq!(customer_of(&run).unwrap().id, "c-1");
        run.first.input["input"]["customer"]["prefers"] = json!("nancy@example.com");
        let error = customer_of(&run).unwrap_err().to_string();
        assert_eq!(error, "the input of execution o-1 cannot be read: it names no customer");
    }
}
