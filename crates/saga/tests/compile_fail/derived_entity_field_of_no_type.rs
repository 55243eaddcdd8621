// A field has a type that has a stored form.
use saga::Entity;

fn main() {}

#[derive(Entity)]
#[entity(name = "stock")]
struct Stock {
    #[entity(key)]
    sku: String,
    weight: f64,
    depots: Vec<String>,
}
