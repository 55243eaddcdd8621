//! Conditions and updates as DynamoDB's expressions.

use super::{Item, row_item};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::{Addition, Condition, FieldChange, Scalar, Unavailable, Write};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

/// The names and values of an expression. Every name goes through a placeholder, because many are reserved words.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Placeholders {
    fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|other| other == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{index}")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    fn scalar(&mut self, scalar: &Scalar) -> Result<String, Unavailable> {
        row_item::value(scalar).map(|value| self.value(value))
    }

    fn number(&mut self, number: impl Into<i128>) -> String {
        self.value(AttributeValue::N(number.into().to_string()))
    }

    /// When a write may be done; `None` when it always may.
    pub(super) fn condition(&mut self, write: &Write) -> Result<Option<String>, Unavailable> {
        let mut conditions: Vec<&Condition> = Vec::new();
        for guard in &write.guards {
            if !conditions.contains(&&guard.condition) {
                conditions.push(&guard.condition);
            }
        }
        let mut terms = Vec::new();
        for condition in conditions {
            terms.push(self.guard(&write.key.attribute, condition)?);
        }
        for (field, addition) in write.additions() {
            terms.push(self.addition(field, *addition));
        }
        Ok((!terms.is_empty()).then(|| terms.join(" AND ")))
    }

    fn guard(&mut self, key: &str, condition: &Condition) -> Result<String, Unavailable> {
        Ok(match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(key)),
            Condition::Exists => format!("attribute_exists({})", self.name(key)),
            Condition::AtLeast(field, n) => format!("{} >= {}", self.name(field), self.number(*n)),
            Condition::AtMost(field, n) => format!("{} <= {}", self.name(field), self.number(*n)),
            Condition::Equals(field, scalar) => format!("{} = {}", self.name(field), self.scalar(scalar)?),
            Condition::Lacks(field) => format!("attribute_not_exists({})", self.name(field)),
        })
    }

    /// That something can be added to a field. A comparison with a number holds for no attribute of another type, and
    /// for none that is not there. `BETWEEN` would be refused where no number fits.
    fn addition(&mut self, field: &str, addition: Addition) -> String {
        let (name, fits) = (self.name(field), addition.fits());
        format!("{name} >= {} AND {name} <= {}", self.number(*fits.start()), self.number(*fits.end()))
    }

    /// What an update does.
    pub(super) fn update(
        &mut self,
        changes: &BTreeMap<Cow<'static, str>, FieldChange>,
    ) -> Result<String, Unavailable> {
        let (mut sets, mut removes, mut adds) = (Vec::new(), Vec::new(), Vec::new());
        for (field, change) in changes {
            let name = self.name(field);
            match change {
                FieldChange::Set(scalar) => sets.push(format!("{name} = {}", self.scalar(scalar)?)),
                FieldChange::Remove => removes.push(name),
                FieldChange::Add(addition) => adds.push(format!("{name} {}", self.number(addition.n))),
            }
        }
        let clauses = [("SET", sets), ("REMOVE", removes), ("ADD", adds)].into_iter();
        let clauses = clauses.filter(|(_, terms)| !terms.is_empty());
        Ok(clauses.map(|(verb, terms)| format!("{verb} {}", terms.join(", "))).collect::<Vec<_>>().join(" "))
    }

    /// What has been used, in the form the SDK takes.
    pub(super) fn used(self) -> (Option<HashMap<String, String>>, Option<Item>) {
        let numbered = |prefix: &'static str| (0..).map(move |index| format!("{prefix}{index}"));
        let names: HashMap<_, _> = numbered("#n").zip(self.names).collect();
        let values: Item = numbered(":v").zip(self.values).collect();
        (Some(names).filter(|names| !names.is_empty()), Some(values).filter(|values| !values.is_empty()))
    }
}
