//! The function of the inventory service.

use inventory::Inventory;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Inventory).await
}
