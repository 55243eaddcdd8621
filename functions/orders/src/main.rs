//! The function of the orders service.

use orders::Orders;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Orders)
}
