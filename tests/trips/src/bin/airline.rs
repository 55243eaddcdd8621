//! The function of the airline.

use trips::services::Airline;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Airline)
}
