//! The function of the hotels.

use trips::services::Hotel;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Hotel)
}
