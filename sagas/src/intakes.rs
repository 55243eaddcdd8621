//! The functions that start sagas.

use crate::{cancel::CancelSaga, environment::ORDER_INTAKE, order::OrderSaga};
use saga::Intake;

/// Takes the events of the order topic.
#[derive(Debug)]
pub struct OrderIntake;

impl Intake for OrderIntake {
    const NAME: &'static str = ORDER_INTAKE;
    type Sagas = (OrderSaga, CancelSaga);
}
