//! The program around the pure crates: it writes what [`stacks`] synthesises, packages the functions and deploys both.
//!
//! | module | does |
//! | --- | --- |
//! | [`synth`] | the emitted files as data, and writing them to a folder |
//! | [`functions`] | whether each function of the stacks has a crate |
//! | [`package`] | the functions as zips named by their content |
//! | `aws` (feature `aws`) | deploys by change set, destroys, compares with what is deployed |
//! | `logs` (feature `aws`) | the logs of all functions as one stream |
//! | `ops` (feature `aws`) | looks at the sagas of a deployment, and answers for an operator |
//! | `watch` (feature `aws`) | notices that a file was saved of which the deployment is made |
//!
//! Nothing here prints or ends the process: what happens is returned, or told to an `aws::Progress`. The program of
//! the same name is the edge that prints. `src/cli/synth.rs` is a complete example of its use.
#![forbid(unsafe_code)]

#[cfg(feature = "aws")]
pub mod aws;
pub mod functions;
#[cfg(feature = "aws")]
pub mod logs;
#[cfg(feature = "aws")]
pub mod ops;
pub mod package;
pub mod project;
pub mod synth;
#[cfg(feature = "aws")]
pub mod watch;
