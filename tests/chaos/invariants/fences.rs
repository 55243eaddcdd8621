//! The fences agree with the endings: of a committed saga every step is done, of a compensated one none, and those that an
//! operator went on without are abandoned. All were written by the run that had the id first.

use super::endings::{Endings, Way};
use crate::world::World;
use anyhow::{Result, ensure};
use saga::{Definition, Participant, Step, fence::FenceState};
use std::collections::{BTreeMap, BTreeSet};
use system::FenceRow;
use trips::{
    booking::{AwardPoints, TRIP_SAGA},
    participants::Agency,
};

/// Fences, by saga id and place.
type Fences = BTreeMap<(String, String), FenceRow>;

pub(crate) async fn check(world: &World, saga: &Definition, endings: &Endings) -> Result<Vec<String>> {
    let (fences, name) = (read(world, saga).await?, saga.name);
    let steps: Vec<&str> = saga.steps().map(|step| step.name).collect();
    let mut violations = Vec::new();
    for (id, ending) in endings {
        let skipped = ending.skipped();
        for step in &steps {
            let fence = fences.get(&(id.clone(), format!("{name}/{step}")));
            let state = fence.map(|fence| fence.state);
            if !agrees(ending.way(), state, skipped.contains(step)) {
                violations
                    .push(format!("{name} {id}: its saga is {ending}, but the fence of {step} is {state:?}"));
            }
            if let Some(fence) = fence.filter(|fence| fence.run != ending.run) {
                violations.push(format!("{name} {id}: the run is {:?}, but {fence:?}", ending.run));
            }
        }
    }
    Ok(violations)
}

fn agrees(way: &Way, state: Option<FenceState>, skipped: bool) -> bool {
    match way {
        // Whether it may be skipped at all, the endings tell.
        Way::Committed | Way::Compensated { .. } if skipped => state == Some(FenceState::Abandoned),
        Way::Committed => state == Some(FenceState::Done),
        // 'started' would be a call of which nobody knows whether it was carried out.
        Way::Compensated { .. } => matches!(state, None | Some(FenceState::Rejected | FenceState::Undone)),
        // Told already.
        Way::Open { .. } => true,
    }
}

/// The trips of which an operator has left out the points before they were credited.
pub(crate) async fn without_points(world: &World) -> Result<Vec<String>> {
    let place = format!("{TRIP_SAGA}/{}", AwardPoints::NAME);
    let mut fences = world.trips.fences(Agency::NAME).await?;
    fences.retain(|fence| {
        fence.place == place && fence.state == FenceState::Abandoned && fence.was != Some(FenceState::Done)
    });
    Ok(fences.into_iter().map(|fence| fence.saga_id).collect())
}

async fn read(world: &World, saga: &Definition) -> Result<Fences> {
    let participants: BTreeSet<&str> = saga.steps().map(|step| step.participant).collect();
    let mut fences = Fences::new();
    for participant in participants {
        let rows = world.of(saga.name).fences(participant).await?;
        fences.extend(rows.into_iter().map(|row| ((row.saga_id.clone(), row.place.clone()), row)));
    }
    Ok(fences)
}

/// A test of this file, run beside the storm: a fence that does not fit its saga is told.
pub(crate) fn what_does_not_fit_is_told() -> Result<()> {
    use FenceState::{Abandoned, Done, Rejected, Started, Undone};
    let compensated = Way::Compensated { reason: "OutOfStock".to_owned() };
    let fits = [
        (&Way::Committed, Some(Done), false),
        (&Way::Committed, Some(Abandoned), true),
        (&compensated, None, false),
        (&compensated, Some(Rejected), false),
        (&compensated, Some(Undone), false),
        (&compensated, Some(Abandoned), true),
    ];
    let states = [None].into_iter().chain(FenceState::ALL.map(Some));
    let ways = [&Way::Committed, &compensated];
    let all = states.flat_map(|state| ways.map(|way| [(way, state, false), (way, state, true)])).flatten();
    let all: Vec<_> = all.collect();
    ensure!(all.contains(&(&compensated, Some(Started), false)), "not all are tried");
    for (way, state, skipped) in all {
        let expected = fits.contains(&(way, state, skipped));
        let seen = agrees(way, state, skipped);
        ensure!(seen == expected, "{way} with {state:?}, skipped {skipped}: {seen}");
    }
    Ok(())
}
