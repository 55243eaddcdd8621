//! The function of the payment service.

use payment::Payment;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Payment::from_variables(&saga_lambda::Variables::of_process())?)
}
