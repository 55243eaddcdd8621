//! The payment service: charges customers through the gateway and keeps the ledger.
//!
//! The gateway is outside the ledger's transactions, so the step is [outside](saga::CompensableOutside): every call
//! carries the idempotency key, a lost answer is an unknown outcome that is asked for again, and an undo refunds by the
//! key whether or not a charge is known.
#![forbid(unsafe_code)]

mod peer;

pub use peer::{Asked, Gateway, Peer, PeerError};

use saga::{Commit, Context, Entity, Fault, HandleOutside, Never, Retry, Service, Undoing, Writes};
use saga_lambda::{Error, Variables};
use sagas::{
    entities::LedgerEntry,
    environment::GATEWAY_URL,
    money::Money,
    order::{Charge, ChargePayment, PaymentDeclined, PlaceOrder},
    participants,
};

/// The charge id of an order that costs nothing: the gateway is not asked, and the ledger has no entry.
const FREE: &str = "free";

/// The handlers of the payment service. They charge through `G`: the gateway over HTTP, or one in memory.
#[derive(Debug, Clone)]
pub struct Payment<G = Peer> {
    peer: G,
}

impl<G: Gateway> Payment<G> {
    /// Charges through this gateway.
    pub fn new(peer: G) -> Self {
        Self { peer }
    }
}

impl Payment {
    /// Charges through the gateway that the stack names.
    ///
    /// # Errors
    /// When the variable with its URL is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        let client = |error: PeerError| Error::Client { what: "payment gateway", why: error.to_string() };
        Ok(Self::new(Peer::new(variables.text(GATEWAY_URL)?).map_err(client)?))
    }
}

impl<G: Gateway> Service for Payment<G> {
    type Participant = participants::Payment;
}

impl<G: Gateway> HandleOutside<ChargePayment> for Payment<G> {
    async fn call(
        &self,
        cx: &Context,
        (order,): (PlaceOrder,),
    ) -> Result<Commit<ChargePayment>, Fault<PaymentDeclined>> {
        let Money { minor, currency } = order.total;
        if minor == 0 {
            return Ok(Commit::of(Charge { charge_id: FREE.into(), amount: Money { minor, currency } }));
        }
        let request = gateway::ChargeRequest {
            amount_minor: minor,
            currency,
            payment_token: order.payment_token,
            reference: order.order_id.clone(),
        };
        let charge = match self.peer.charge(&cx.idempotency_key(), &request).await {
            Ok(Asked::Charged(charge)) => charge,
            Ok(Asked::Declined { reason }) => return Err(PaymentDeclined { reason }.into()),
            Err(error) => return Err(Fault::retry(error.to_string())),
        };
        if charge.status == gateway::ChargeStatus::Refunded {
            // Somebody reversed it: whoever did is undoing this step, and the next delivery will find its fence.
            return Err(Fault::retry("the charge was refunded already"));
        }
        let amount = Money { minor: charge.amount_minor, currency: charge.currency };
        let mut commit = Commit::of(Charge { charge_id: charge.charge_id.clone(), amount: amount.clone() });
        let entry = LedgerEntry::row(order.order_id)
            .with(LedgerEntry::CHARGE_ID, charge.charge_id)
            .with(LedgerEntry::AMOUNT_MINOR, amount.minor)
            .with(LedgerEntry::CURRENCY, amount.currency)
            .with(LedgerEntry::STATUS, LedgerEntry::CHARGED);
        commit.insert(entry).or_retry();
        Ok(commit)
    }

    async fn reverse(&self, cx: &Context) -> Result<(), Retry> {
        self.peer.reverse(&cx.idempotency_key()).await.map_err(|error| Retry(error.to_string()))
    }

    /// The entry stays, as refunded: a ledger forgets nothing.
    async fn undo(&self, cx: &Context, done: Undoing<ChargePayment>) -> Result<Writes<Never>, Retry> {
        let mut writes = Writes::new();
        if done.output()?.charge_id != FREE {
            writes
                .update::<LedgerEntry>(cx.saga_id().as_str())
                .transition(LedgerEntry::STATUS, LedgerEntry::CHARGED.into(), LedgerEntry::REFUNDED.into())
                .or_retry();
        }
        Ok(writes)
    }
}

#[cfg(test)]
mod tests;
