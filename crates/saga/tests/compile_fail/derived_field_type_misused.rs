// A field of an enum is one text, which says which variant it is.
use saga::FieldType;

fn main() {}

#[derive(FieldType)]
enum WithData {
    Pending,
    Rejected(String),
}

#[derive(FieldType)]
enum Twins {
    Pending,
    #[field(rename = "PENDING")]
    Waiting,
}

#[derive(FieldType)]
enum Nobody {}

#[derive(FieldType)]
struct Text(String);

#[derive(FieldType)]
#[field(rename = "status")]
enum Misplaced {
    Pending,
}

#[derive(FieldType)]
enum Unknown {
    #[field(name = "PENDING")]
    Pending,
}

#[derive(FieldType)]
enum Generic<const N: usize> {
    Pending,
}
