//! Tests as data: an async function each, named by its function.

use crate::world::{Shared, Where, World};
use anyhow::Result;
use futures::future::BoxFuture;
use libtest_mimic::{Failed, Trial};
use std::sync::Arc;

/// What a test does.
pub(crate) type Run = for<'w> fn(&'w World) -> BoxFuture<'w, Result<()>>;

/// A test.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) place: Where,
    pub(crate) run: Run,
}

impl Case {
    /// For libtest-mimic.
    pub(crate) fn trial(self, shared: Arc<Shared>) -> Trial {
        Trial::test(self.name, move || {
            shared.run(self.place, self.run).map_err(|error| Failed::from(format!("{error:#}")))
        })
    }
}

/// The tests of a module: `cases!["module": one_test, another_test]`, or `cases!["module" in Incidents: …]` for those
/// that need a world where incidents happen.
macro_rules! cases {
    [$module:literal: $($test:ident),+ $(,)?] => {
        $crate::cases::cases![$module in Calm: $($test),+]
    };
    [$module:literal in $place:ident: $($test:ident),+ $(,)?] => {
        vec![$($crate::cases::Case {
            name: concat!($module, "::", stringify!($test)),
            place: $crate::world::Where::$place,
            run: |world| Box::pin($test(world)),
        }),+]
    };
}
pub(crate) use cases;
