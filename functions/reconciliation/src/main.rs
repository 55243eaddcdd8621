//! The function that compares the gateway's charges with the fences, on a schedule.

use reconciliation::Reconciliation;

fn main() -> Result<(), saga_lambda::Error> {
    let (reconciliation, store) = Reconciliation::from_variables(&saga_lambda::Variables::of_process())?;
    let (reconciliation, store) = (&reconciliation, &store);
    saga_lambda::serve_schedule(async |deadline| {
        reconciliation.sweep(&store.until(deadline), deadline).await.map(|_| ())
    })
}
