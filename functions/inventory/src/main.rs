//! The function of the inventory service.

use inventory::Inventory;

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::run(Inventory)
}
