// Each rejection has a wire name of its own.
use saga::Rejection;

fn main() {}

#[derive(Rejection)]
enum Twins {
    OutOfStock,
    #[rejection(name = "OutOfStock")]
    SoldOut,
}

#[derive(Rejection)]
enum Nobody {}

#[derive(Rejection)]
struct Generic<'a> {
    sku: &'a str,
}

#[derive(Rejection)]
union Either {
    one: u32,
}

#[derive(Rejection)]
#[rejection(name = "No")]
enum OneName {
    OutOfStock,
}

#[derive(Rejection)]
struct Misplaced {
    #[rejection(name = "No")]
    sku: String,
}

const NAME: &str = "OutOfStock";

#[derive(Rejection)]
#[rejection(name = NAME)]
struct Elsewhere {}

#[derive(Rejection)]
#[rejection(name = "")]
struct Nameless {}

#[derive(Rejection)]
#[rejection(rename = "OutOfStock")]
struct Unknown {}
