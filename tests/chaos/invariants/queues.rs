//! All queues are empty, and the dead letters are those that nobody can understand, each where it was sent.

use crate::{storm::Raged, world::World};
use anyhow::Result;
use std::time::Duration;
use system::Depth;
use tokio::time::sleep;

/// The operator has looked at them, which hides them for a moment.
const IN_SIGHT_AGAIN: Duration = Duration::from_secs(3);

pub(crate) async fn check(world: &World, raged: &Raged) -> Result<Vec<String>> {
    sleep(IN_SIGHT_AGAIN).await;
    let mut violations = Vec::new();
    for queue in world.queues() {
        let depth = world.system.depth(&queue.url).await?;
        if depth != Depth::default() {
            violations.push(format!("the queue of {} is not empty: {depth:?}", queue.function));
        }
        let dead = world.system.receive_all(&queue.dead_letters_url).await?;
        let mut bodies: Vec<String> = dead.into_iter().filter_map(|letter| letter.body).collect();
        for (_, name) in raged.garbage.iter().filter(|(sent_to, _)| *sent_to == queue) {
            let held = bodies.len();
            // More than one is for the queue to answer for: it delivers at least once.
            bodies.retain(|body| !body.contains(name));
            if bodies.len() == held {
                violations.push(format!("{name} is not among the dead letters of {}", queue.function));
            }
        }
        violations.extend(bodies.iter().map(|body| format!("{} left a dead letter: {body}", queue.function)));
    }
    let refused = world.system.receive_all(world.system.refused_orders_queue_url()).await?;
    violations.extend(refused.into_iter().map(|message| format!("an order was refused: {:?}", message.body)));
    Ok(violations)
}
