//! The function of the agency.

use trips::services::Agency;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Agency)
}
