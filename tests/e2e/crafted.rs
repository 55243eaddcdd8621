//! Messages to participants that no state machine sent: as a queue would deliver them twice, late, or out of order.

use anyhow::{Context, Result};
use saga::{IfAbsent, Op, Reason, Request, RunDigest, SagaId, TaskToken, WIRE_VERSION};
use serde_json::{Map, Value as Json, json};

/// A step of a saga, and the values it is given.
pub(crate) struct Crafted {
    saga: &'static str,
    id: SagaId,
    step: &'static str,
    run: RunDigest,
    input: Map<String, Json>,
}

impl Crafted {
    /// A step of the order saga with this id. `input`: the saga's own first.
    pub(crate) fn new(id: &str, step: &'static str, input: &[(&str, &Json)]) -> Result<Self> {
        Self::of("order", id, step, input)
    }

    /// The same of any saga.
    pub(crate) fn of(
        saga: &'static str,
        id: &str,
        step: &'static str,
        input: &[(&str, &Json)],
    ) -> Result<Self> {
        let id = SagaId::try_from(id.to_owned())?;
        let run = RunDigest::of(input.first().context("a saga has an input")?.1);
        let input = input.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect();
        Ok(Self { saga, id, step, run, input })
    }

    /// Reserving these units of one product, which needs nothing else.
    pub(crate) fn reservation(id: &str, sku: &str, quantity: u32) -> Result<Self> {
        Self::new(id, "reserve-stock", &[("order", &small_order(id, sku, quantity))])
    }

    /// Charging for an order that no saga carries out.
    pub(crate) fn charge(id: &str) -> Result<Self> {
        Self::new(id, "charge-payment", &[("order", &small_order(id, "none", 1))])
    }

    /// The message that asks to do the step.
    pub(crate) fn run(&self) -> Result<String> {
        self.message(Op::Run, None)
    }

    /// The message that asks to undo it.
    pub(crate) fn undo(&self) -> Result<String> {
        let (step, error, cause) = (self.step.to_owned(), "States.Timeout".to_owned(), String::new());
        self.message(Op::Undo, Some(Reason { step, error, cause }))
    }

    fn message(&self, op: Op, reason: Option<Reason>) -> Result<String> {
        let request = Request {
            v: WIRE_VERSION,
            saga: self.saga.parse()?,
            id: self.id.clone(),
            run: Some(self.run.clone()),
            execution: self.id.to_string(),
            step: self.step.to_owned(),
            item: None,
            op,
            // Nobody waits for it: the reply comes too late, as that of a duplicate does.
            token: TaskToken::new("a-token-that-nobody-waits-for"),
            input: self.input.clone(),
            reason,
            turn: 0,
            if_absent: IfAbsent::Decide,
        };
        serde_json::to_string(&request).context("a request is JSON")
    }
}

/// An order of one line, for 1.00 EUR.
fn small_order(id: &str, sku: &str, quantity: u32) -> Json {
    json!({
        "order_id": id,
        "customer": { "id": "c", "email": "c@example.com" },
        "lines": [{ "sku": sku, "quantity": quantity }],
        "total": { "minor": 100, "currency": "EUR" },
        "payment_token": "tok_approve",
    })
}
