//! What the stacks must have, whatever is changed in them.

mod authorization;
mod permissions;
mod policies;
mod resources;
mod structure;
mod templates;
mod text;
