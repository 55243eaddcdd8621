mod events;
mod taking;
