//! The function of the orders service.

use orders::Orders;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Orders).await
}
