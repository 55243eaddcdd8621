//! The function of the hotels.

use trips::services::Hotel;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Hotel).await
}
