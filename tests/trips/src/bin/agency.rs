//! The function of the agency.

use trips::services::Agency;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Agency).await
}
