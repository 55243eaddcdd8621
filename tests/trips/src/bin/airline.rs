//! The function of the airline.

use trips::services::Airline;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Airline).await
}
