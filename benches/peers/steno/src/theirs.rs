//! The saga as steno's, in its executor with its store in memory.

use crate::{Details, Ending, Receipt, SAGAS_A_ROUND};
use std::sync::Arc;
use steno::{
    ActionContext, ActionError, ActionFunc, ActionRegistry, Dag, DagBuilder, InMemorySecStore, Node, SagaDag,
    SagaId, SagaName, SagaType, sec,
};

/// Runs a round of sagas in an executor with an empty store. The actions are registered and their graph is built once,
/// as both can be.
pub(crate) async fn round(ending: Ending) {
    let client = sec(slog::Logger::root(slog::Discard, slog::o!()), Arc::new(InMemorySecStore::new()));
    let (registry, dag) = trip();
    let desk = Arc::new(Desk { ending });
    for _ in 0..SAGAS_A_ROUND {
        let id = SagaId::new_v4();
        let details = serde_json::to_value(Details::new()).expect("text in a struct is JSON");
        let dag = Arc::new(SagaDag::new(dag.clone(), details));
        let ended = client.saga_create(id, desk.clone(), dag, registry.clone()).await.expect("created");
        client.saga_start(id).await.expect("started");
        match ended.await.kind {
            Ok(_) => assert_eq!(ending, Ending::Commits),
            Err(error) => {
                assert_eq!(ending, Ending::Unwinds, "{error:?}");
                assert!(error.undo_failure.is_none(), "{error:?}");
            }
        }
    }
    client.shutdown().await;
}

#[derive(Debug)]
struct Desk {
    ending: Ending,
}

#[derive(Debug)]
struct Trip;

impl SagaType for Trip {
    type ExecContextType = Desk;
}

/// The actions, and their graph: one after the other.
fn trip() -> (Arc<ActionRegistry<Trip>>, Dag) {
    let (mut registry, mut graph) = (ActionRegistry::new(), DagBuilder::new(SagaName::new("trip")));
    let actions = [
        ("payment", ActionFunc::new_action("charge-card", charge_card, cancel_payment)),
        ("hotel", ActionFunc::new_action("book-hotel", book_hotel, cancel_hotel)),
        ("flight", ActionFunc::new_action("book-flight", book_flight, cancel_flight)),
        ("car", ActionFunc::new_action("book-car", book_car, cancel_car)),
    ];
    for (output, action) in actions {
        graph.append(Node::action(output, output, &*action));
        registry.register(action);
    }
    (Arc::new(registry), graph.build().expect("a chain is a graph"))
}

macro_rules! action {
    ($run:ident, $undo:ident: $value:literal from $field:ident) => {
        async fn $run(cx: ActionContext<Trip>) -> Result<Receipt, ActionError> {
            let details = cx.saga_params::<Details>()?;
            Ok(Receipt::of(&details.$field))
        }

        async fn $undo(cx: ActionContext<Trip>) -> Result<(), anyhow::Error> {
            cx.lookup::<Receipt>($value)?.check();
            Ok(())
        }
    };
}

action!(charge_card, cancel_payment: "payment" from card);
action!(book_hotel, cancel_hotel: "hotel" from hotel);
action!(book_flight, cancel_flight: "flight" from flight);

async fn book_car(cx: ActionContext<Trip>) -> Result<Receipt, ActionError> {
    let details = cx.saga_params::<Details>()?;
    match cx.user_data().ending {
        Ending::Commits => Ok(Receipt::of(&details.car)),
        Ending::Unwinds => Err(ActionError::action_failed("NoCar".to_owned())),
    }
}

async fn cancel_car(cx: ActionContext<Trip>) -> Result<(), anyhow::Error> {
    cx.lookup::<Receipt>("car")?.check();
    Ok(())
}
