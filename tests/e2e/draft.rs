//! Orders as tests write them.

use sagas::{
    customer::{Channel, Customer},
    events::{LinePlaced, OrderPlaced},
};

/// The currency of all orders.
pub(crate) const CURRENCY: &str = "EUR";

/// An order to be placed: paid with an approved token, its customer reached by e-mail, until it says otherwise.
pub(crate) struct Draft(OrderPlaced);

impl Draft {
    pub(crate) fn new(order_id: String) -> Self {
        let customer = Customer {
            id: format!("customer-{order_id}"),
            email: format!("{order_id}@example.com"),
            phone: None,
            prefers: Channel::Email,
        };
        let payment_token = "tok_approve".to_owned();
        Self(OrderPlaced {
            order_id,
            customer,
            currency: CURRENCY.to_owned(),
            lines: Vec::new(),
            payment_token,
        })
    }

    /// Orders so many units at a price in minor units.
    pub(crate) fn line(mut self, sku: &str, quantity: i64, unit_price_minor: i64) -> Self {
        let (sku, currency) = (sku.to_owned(), None);
        self.0.lines.push(LinePlaced { sku, quantity, unit_price_minor, discount_percent: 0, currency });
        self
    }

    /// Gives a discount on the last line.
    pub(crate) fn less_percent(mut self, discount: i64) -> Self {
        if let Some(line) = self.0.lines.last_mut() {
            line.discount_percent = discount;
        }
        self
    }

    /// Pays slower than the function may take, by far: the order stays pending while others act, and the charge lands.
    pub(crate) fn pays_in_a_while(self) -> Self {
        self.pays_with("tok_slow_34000")
    }

    /// Pays with this token, which tells the gateway how to behave.
    pub(crate) fn pays_with(mut self, token: &str) -> Self {
        self.0.payment_token = token.to_owned();
        self
    }

    /// Reaches the customer by SMS.
    pub(crate) fn by_sms(mut self, phone: &str) -> Self {
        self.0.customer.phone = Some(phone.to_owned());
        self.0.customer.prefers = Channel::Sms;
        self
    }

    /// The order.
    pub(crate) fn order(self) -> OrderPlaced {
        self.0
    }
}
