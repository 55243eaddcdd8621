//! What the payment gateway knows, asked over HTTP.

use crate::{deploy::STAGE, eventually::eventually, start::System};
use anyhow::{Context, Result};
use gateway::{
    CALLS_PATH, CHARGES_PATH, Charge, ChargePage, ChargeRequest, IDEMPOTENCY_KEY_HEADER, KeyCalls,
    SUMMARY_PATH, Summary,
};
use reqwest::{Response, StatusCode};
use saga::{Deployment, IdempotencyKey, Step, StepKey, StepOfRun};
use sagas::order::{ChargePayment, ORDER_SAGA, order_saga};
use std::{collections::BTreeMap, time::Duration};

const PAGE: usize = 1_000;
/// For a gateway that a storm has killed to be there again, on a busy machine.
const GATEWAY_LIMIT: Duration = Duration::from_secs(60);

impl System {
    /// The totals of all charges.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn gateway_summary(&self) -> Result<Summary> {
        self.ask_gateway(SUMMARY_PATH).await?.json().await.context("the gateway's summary cannot be read")
    }

    /// The charge of one order, if its money was ever taken.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn gateway_charge(&self, order_id: &str) -> Result<Option<Charge>> {
        let answer =
            self.ask_gateway(&format!("{CHARGES_PATH}/{}", self.charge_key(order_id).await?)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.json().await.map(Some).with_context(|| format!("the charge of {order_id} cannot be read"))
    }

    /// How often the gateway was called for one order.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn gateway_calls(&self, order_id: &str) -> Result<KeyCalls> {
        let answer = self.ask_gateway(&format!("{CALLS_PATH}/{}", self.charge_key(order_id).await?)).await?;
        answer.json().await.with_context(|| format!("the calls for {order_id} cannot be read"))
    }

    /// Every charge, by idempotency key.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn gateway_charges(&self) -> Result<BTreeMap<String, Charge>> {
        let mut charges = BTreeMap::new();
        let mut since = 0;
        loop {
            let answer = self.ask_gateway(&format!("{CHARGES_PATH}?since={since}&limit={PAGE}")).await?;
            let page: ChargePage = answer.json().await.context("the gateway's charges cannot be read")?;
            if page.charges.is_empty() {
                return Ok(charges);
            }
            since = page.next_since;
            charges.extend(page.charges.into_iter().map(|charge| (charge.idempotency_key.clone(), charge)));
        }
    }

    /// The charges of this deployment's orders, by order id.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn charges_of_orders(&self) -> Result<BTreeMap<String, Charge>> {
        let deployment = self.identity()?;
        let of_order = |(key, charge): (String, Charge)| {
            let step = IdempotencyKey::step_in(&deployment, &key)?;
            (step.key.step == ChargePayment::NAME).then(|| (step.key.saga_id.to_string(), charge))
        };
        Ok(self.gateway_charges().await?.into_iter().filter_map(of_order).collect())
    }

    /// Takes money at the gateway under any key, behind the back of every saga.
    ///
    /// # Errors
    /// When the gateway does not take it.
    pub async fn plant_charge(&self, key: &str, amount_minor: i64, currency: &str) -> Result<Charge> {
        let body = ChargeRequest {
            amount_minor,
            currency: currency.to_owned(),
            payment_token: "tok_approve".to_owned(),
            reference: key.split('/').nth(3).unwrap_or(key).to_owned(),
        };
        let url = format!("{}{CHARGES_PATH}", self.gateway_url());
        let call = self.clients().http.post(url).header(IDEMPOTENCY_KEY_HEADER, key).json(&body);
        let answer = call.send().await.and_then(Response::error_for_status);
        answer
            .with_context(|| format!("the gateway does not charge {key}"))?
            .json()
            .await
            .context("no charge")
    }

    async fn ask_gateway(&self, path: &str) -> Result<Response> {
        let url = format!("{}{path}", self.gateway_url());
        // A storm kills the gateway and starts it again.
        eventually(&format!("the payment gateway answers GET {url}"), GATEWAY_LIMIT, || async {
            Ok(self.clients().http.get(&url).send().await.map_err(|error| error.to_string()))
        })
        .await
    }
}

impl System {
    /// The key under which the payment service charges for an order; for one that no saga carries out, that of version 1.
    ///
    /// # Errors
    /// When it is no order's id, or Step Functions does not answer.
    pub async fn charge_key(&self, order_id: &str) -> Result<String> {
        let execution = self.execution(ORDER_SAGA, order_id).await?;
        let run = execution.and_then(|execution| execution.input["run"].as_str()?.parse().ok());
        let step = StepOfRun { key: charge_step(order_id)?, run };
        Ok(IdempotencyKey::new(&self.identity()?, &step).as_str().to_owned())
    }

    fn identity(&self) -> Result<Deployment> {
        Ok(Deployment::new(self.deployment(), STAGE.name())?)
    }
}

/// The step that charges for an order.
///
/// # Errors
/// When it is no order's id.
pub fn charge_step(order_id: &str) -> Result<StepKey> {
    let (saga, step) = (order_saga().definition().name.parse()?, ChargePayment::NAME.to_owned());
    Ok(StepKey { saga, saga_id: order_id.parse()?, step, item: None })
}
