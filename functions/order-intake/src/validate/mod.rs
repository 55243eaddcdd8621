//! Whether an event can become a saga: every reason why not, or the saga's input. Pure.

mod customer;
mod lines;
#[cfg(test)]
mod tests;

use saga_lambda::intake::{Problem, Problems};
use sagas::{
    cancel::CancelOrder,
    events::{CancelRequested, OrderPlaced},
    money::Money,
    order::PlaceOrder,
};

/// The saga's input for an order as placed.
///
/// # Errors
/// Every reason why it is refused.
pub fn place_order(placed: &OrderPlaced) -> Result<PlaceOrder, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.check_saga_id("order_id", &placed.order_id);
    customer::check(&mut problems, &placed.customer);
    problems.check_text("payment_token", &placed.payment_token, 128);
    if iso_currency::Currency::from_code(&placed.currency).is_none() {
        problems.add("currency", "it is no ISO 4217 code: three capital letters like `EUR` are needed");
    }
    let lines = lines::merged(&mut problems, &placed.lines);
    let total = lines::total_minor(&mut problems, placed);
    let order = total.map(|minor| PlaceOrder {
        order_id: placed.order_id.clone(),
        customer: placed.customer.clone(),
        lines,
        total: Money { minor, currency: placed.currency.clone() },
        payment_token: placed.payment_token.clone(),
    });
    problems.check_size(order.as_ref());
    problems.or(order)
}

/// The saga's input for a wish to cancel.
///
/// # Errors
/// Every reason why it is refused.
pub fn cancel_order(wish: &CancelRequested) -> Result<CancelOrder, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.check_saga_id("order_id", &wish.order_id);
    customer::check(&mut problems, &wish.customer);
    let cancel = CancelOrder { order_id: wish.order_id.clone(), customer: wish.customer.clone() };
    problems.check_size(Some(&cancel));
    problems.or(Some(cancel))
}
