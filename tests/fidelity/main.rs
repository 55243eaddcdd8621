//! Whether the checker's world is the real one: its interpreter against Step Functions, and the store in memory against
//! DynamoDB, both as the emulator plays them.

mod aws;
mod machine;
mod script;
mod store;
mod transactions;
mod trip;
