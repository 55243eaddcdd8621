// A value has a name, a size and a producer, each once, and is one type.
use saga::Value;

fn main() {}

#[derive(Value)]
struct Bare {}

#[derive(Value)]
#[value(name = "order")]
struct Half {}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = Start, name = "orders")]
struct Twice {}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = Start)]
#[value(max_bytes = 200)]
struct TwiceApart {}

#[derive(Value)]
#[value(name = "order", size = 100, producer = Start)]
struct Unknown {}

#[derive(Value)]
#[value(name, max_bytes = 100, producer = Start)]
struct NoName {}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = "Start")]
struct Quoted {}

#[derive(Value)]
#[value(name = "order", max_bytes = , producer = Start)]
struct NoBytes {}

#[derive(Value)]
#[value]
struct Empty {}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = Start)]
struct Generic<T> {
    of: T,
}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = Start)]
union Either {
    one: u32,
    other: i32,
}

#[derive(Value)]
#[value(name = "order", max_bytes = 100, producer = Start)]
struct Misplaced {
    #[value(name = "sku")]
    sku: String,
}
