// An entity has a name, one key, and fields that its store can keep apart.
use saga::Entity;

fn main() {}

#[derive(Entity)]
struct Nameless {
    #[entity(key)]
    sku: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct Keyless {
    sku: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct TwoKeys {
    #[entity(key)]
    sku: String,
    #[entity(key)]
    depot: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct TwoOfOneName {
    #[entity(key)]
    sku: String,
    free: u32,
    #[entity(rename = "free")]
    available: u32,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct NamedAsTheKey {
    #[entity(key)]
    sku: String,
    #[entity(rename = "sku")]
    name: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct Unknown {
    #[entity(key)]
    sku: String,
    #[entity(name = "free")]
    available: u32,
}

#[derive(Entity)]
#[entity(name = "stock", key = "sku")]
struct KeyOnTheStruct {
    sku: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct KeyWithAValue {
    #[entity(key = true)]
    sku: String,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct Tuple(String);

#[derive(Entity)]
#[entity(name = "stock")]
enum Either {
    Sku,
}

#[derive(Entity)]
#[entity(name = "stock")]
struct Generic<T> {
    #[entity(key)]
    sku: T,
}
