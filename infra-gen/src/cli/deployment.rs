//! The deployment that this program is of. The command line names it nowhere else, but where it has what only orders
//! have: some options of `deploy`, the verb `ops cancel`, and the checks.

use stacks::Synth;

/// Its name, unless another one is given.
pub(crate) const NAME: &str = "flyover";

/// What makes its stacks.
pub(crate) const SYNTH: Synth = stacks::synth;
