// Who derives `Redacted` says of what.
use saga::Redacted;

fn main() {}

#[derive(Redacted)]
struct Nothing {
    email: String,
}

#[derive(Redacted)]
#[redact]
struct Everything {
    email: String,
}

#[derive(Redacted)]
struct WithAValue {
    #[redact(partial)]
    email: String,
}

#[derive(Redacted)]
enum Either {
    Email(#[redact] String),
}
