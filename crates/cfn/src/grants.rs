//! Permissions as data, named by intent: what each grant allows stands in one table, `src/grants/table.rs`.
//!
//! A grant is a method of the resource's handle, and of its ARN for when there is no handle. It gives statements for
//! [`crate::Template::grant`], which merges and orders those of each role.
//!
//! ```
//! use cfn::iam::Role;
//! use cfn::sqs::Queue;
//! use cfn::Template;
//!
//! let mut template = Template::new("Takes orders");
//! let queue = template.add("Orders", Queue::new());
//! let role = template.add("IntakeRole", Role::for_lambda());
//! template.grant(&role, queue.grant_send_messages());
//! template.grant(&role, Queue::arn_of_name("refused").grant_send_messages());
//! ```
//!
//! Every resource is named by its own ARN. What has none is granted by functions of this module, with the reason.
//! A test holds all of it against the service authorization reference: see [`crate::authorization`].

use crate::kind::{AnyArn, Arn};
use crate::policy::Statement;
use crate::value::Value;

/// A type with grants.
trait Granted {
    const TABLE: GrantTable;
}

/// Declares the grants of a type: as data, and as a method of each of the types after `on`.
macro_rules! grants {
    ($R:ty, $resource:expr, $arn:literal, on $($On:ty),+; $rows:tt) => {
        impl Granted for $R {
            const TABLE: GrantTable = GrantTable { resource: $resource, arn: $arn, grants: rows!($rows) };
        }
        $(methods!($R, $On, $rows);)+
    };
}

macro_rules! rows {
    ({ $($(#[$meta:meta])* $grant:ident: $parts:tt,)+ }) => { &[$(row!($grant: $parts)),+] };
}

macro_rules! row {
    ($grant:ident: { $($below:literal => [$($action:literal),+ $(,)?]),+ $(,)? }) => {
        Grant {
            name: stringify!($grant),
            parts: &[$(Part { below: $below, actions: &[$($action),+] }),+],
        }
    };
}

macro_rules! methods {
    ($R:ty, $On:ty, { $($(#[$meta:meta])* $grant:ident: $parts:tt,)+ }) => {
        impl $On {
            $($(#[$meta])*
            #[must_use]
            pub fn $grant(&self) -> Vec<Statement> {
                const GRANT: Grant = row!($grant: $parts);
                GRANT.on::<$R>(&Value::from(self))
            })+
        }
    };
}

mod everything;
mod table;
#[cfg(all(test, feature = "default"))]
mod tests;

pub use everything::{deliver_vended_logs, put_metrics, send_text_messages, trace};

/// What a grant allows, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The name of the method, as in `grant_send_messages`.
    pub name: &'static str,
    /// What is allowed on what.
    pub parts: &'static [Part],
}

/// The actions that a grant allows on the resource or on what is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What follows the ARN of the resource, as in `/index/*`; empty for the resource itself.
    pub below: &'static str,
    /// The actions, as in `sqs:SendMessage`.
    pub actions: &'static [&'static str],
}

/// The grants of a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantTable {
    /// The resource type, as in `AWS::SQS::Queue`, or words for what is not one.
    pub resource: &'static str,
    /// The form of its ARN, as in `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.
    pub arn: &'static str,
    /// Its grants.
    pub grants: &'static [Grant],
}

impl Grant {
    fn on<R>(&self, arn: &Value<Arn<R>>) -> Vec<Statement> {
        let statement = |part: &Part| {
            let resource = match part.below {
                "" => Value::<AnyArn>::from(arn.clone()),
                below => arn.suffixed(below),
            };
            Statement::allow(part.actions.iter().copied()).on(resource)
        };
        self.parts.iter().map(statement).collect()
    }
}

/// The grants of all resource types whose services are compiled.
#[must_use]
pub fn tables() -> Vec<GrantTable> {
    table::all()
}
