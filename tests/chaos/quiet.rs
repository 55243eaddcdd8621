//! Waits until nothing moves any more.

use crate::{
    executions::{named, running, sagas, unsettled},
    operator, say,
    storm::Raged,
    world::{Queue, World},
};
use anyhow::{Result, bail};
use aws_sdk_sfn::types::ExecutionStatus;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use system::Depth;
use tokio::time::sleep;

/// A step can wait three minutes for an answer that was lost for good, and so can the question whose the id is, the one to
/// the pivot, and an undo; an undo that cannot be done is parked after two minutes; and a sweep comes every minute.
const LIMIT: Duration = Duration::from_mins(20);
const LOOK_EVERY: Duration = Duration::from_millis(1_500);
const TELL_EVERY: Duration = Duration::from_secs(30);
/// So often in a row nothing may move.
const STILL_LOOKS: u32 = 3;

/// Waits until no saga runs, no dead execution is without one that settles for it, no queue holds a message, nothing is
/// parked or has to be put right, and only what nobody can understand is left as a dead letter.
pub(crate) async fn come_to_rest(world: &World, raged: &Raged) -> Result<()> {
    let begun = Instant::now();
    let (mut still, mut told, mut settled) = (0, begun, BTreeSet::new());
    loop {
        let mut moves = what_moves(world, raged).await?;
        if moves.is_empty() {
            moves = what_is_left(world, &mut settled).await?;
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            say(&format!("  {} s after the storm: {}", begun.elapsed().as_secs(), moves.join("; ")));
        }
        still = if moves.is_empty() { still + 1 } else { 0 };
        if still == STILL_LOOKS {
            return Ok(());
        }
        if begun.elapsed() > LIMIT {
            bail!("not at rest within {} s: {}", LIMIT.as_secs(), moves.join("; "));
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn what_moves(world: &World, raged: &Raged) -> Result<Vec<String>> {
    let mut moves = Vec::new();
    for saga in sagas() {
        let running = running(world, saga).await?;
        if let Some(first) = running.first() {
            moves.push(format!("{} executions of saga {saga} run, among them {first}", running.len()));
        }
    }
    let again = named(world, &world.made_again, ExecutionStatus::Running).await?;
    if let Some(first) = again.first() {
        moves.push(format!("{} sagas that were started again run, among them {first}", again.len()));
    }
    for queue in world.queues() {
        let depth = world.system.depth(&queue.url).await?;
        if depth != Depth::default() {
            moves.push(format!("the queue of {queue} holds {depth:?}"));
        }
        let dead = world.system.depth(&queue.dead_letters_url).await?;
        // A queue may deliver one message twice, and so may end up with two dead letters for it.
        let (held, wanted) = (dead.visible + dead.in_flight, garbage_of(raged, &queue));
        if held < wanted {
            moves.push(format!("{queue} has {held} dead letters, not yet {wanted}"));
        }
    }
    let done = operator::work(world).await?;
    if done > 0 {
        moves.push(format!("the operator had {done} things to do"));
    }
    Ok(moves)
}

/// What will move, though nothing does now.
async fn what_is_left(world: &World, settled: &mut BTreeSet<String>) -> Result<Vec<String>> {
    if world.restore_shelves().await? {
        return Ok(vec!["a product that was missing is back".to_owned()]);
    }
    let unsettled = unsettled(world, settled).await?;
    let first = unsettled
        .first()
        .map(|first| format!("{} dead executions are not settled, among them {first}", unsettled.len()));
    Ok(first.into_iter().collect())
}

fn garbage_of(raged: &Raged, queue: &Queue) -> u64 {
    raged.garbage.iter().filter(|(sent_to, _)| sent_to == queue).count() as u64
}
