//! What the stacks must have, whatever is changed in them.

mod permissions;
mod policies;
mod resources;
mod structure;
mod templates;
mod text;
