//! The decisions, against a world in memory.

mod reported;
mod swept;
mod world;
