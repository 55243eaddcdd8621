//! A transaction as the items of a `TransactWriteItems`: the fence first, then the writes in order.

use super::{Item, Tables, fence_item, row_item};
use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld,
        TransactWriteItem, Update,
    },
};
use saga::{Change, Condition, FieldChange, Guard, Transaction, Unavailable, Write};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

/// The items of a transaction. Each gives back the item it found when its condition fails.
pub(super) fn items(
    tables: &Tables,
    transaction: &Transaction,
) -> Result<Vec<TransactWriteItem>, Unavailable> {
    let mut items = vec![fence(tables, transaction)?];
    for write in &transaction.writes {
        let table = tables.of_entity(&write.key.entity)?;
        items.push(item(table, write).map_err(|error| unbuilt(&error))?);
    }
    Ok(items)
}

fn fence(tables: &Tables, transaction: &Transaction) -> Result<TransactWriteItem, Unavailable> {
    let (condition, names, values) = fence_item::condition(transaction);
    let put = Put::builder()
        .table_name(&tables.fences.name)
        .set_item(Some(tables.fences.item(&transaction.fence, &transaction.recorded())?))
        .condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .return_values_on_condition_check_failure(AllOld)
        .build();
    Ok(TransactWriteItem::builder().put(put.map_err(|error| unbuilt(&error))?).build())
}

fn unbuilt(error: &BuildError) -> Unavailable {
    Unavailable(format!("a transaction could not be built: {error}"))
}

fn item(table: &str, write: &Write) -> Result<TransactWriteItem, BuildError> {
    let item = TransactWriteItem::builder();
    let mut with = Placeholders::default();
    let condition = with.condition(&write.key.attribute, &write.guards);
    let key = row_item::key(&write.key);
    Ok(match &write.change {
        Change::Insert(row) => {
            let (names, values) = with.used();
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(row_item::item(&write.key, row)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.put(put.build()?).build()
        }
        Change::Delete => {
            let (names, values) = with.used();
            let delete = Delete::builder()
                .table_name(table)
                .set_key(Some(key))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.delete(delete.build()?).build()
        }
        // An update without changes is refused by DynamoDB; it is a check.
        Change::Update(_) if write.only_checks() => {
            let (names, values) = with.used();
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(key))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.condition_check(check.build()?).build()
        }
        Change::Update(changes) => {
            let expression = with.update(changes);
            let (names, values) = with.used();
            let update = Update::builder()
                .table_name(table)
                .set_key(Some(key))
                .update_expression(expression)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.update(update.build()?).build()
        }
    })
}

/// The names and values of an expression. Every name goes through a placeholder, because many are reserved words.
#[derive(Debug, Default)]
struct Placeholders {
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

    /// All guards; `None` when there are none.
    fn condition(&mut self, key: &str, guards: &[Guard]) -> Option<String> {
        let mut conditions: Vec<&Condition> = Vec::new();
        for guard in guards {
            if !conditions.contains(&&guard.condition) {
                conditions.push(&guard.condition);
            }
        }
        let terms: Vec<_> = conditions.into_iter().map(|condition| self.term(key, condition)).collect();
        (!terms.is_empty()).then(|| terms.join(" AND "))
    }

    fn term(&mut self, key: &str, condition: &Condition) -> String {
        let number = |n: i64| AttributeValue::N(n.to_string());
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(key)),
            Condition::Exists => format!("attribute_exists({})", self.name(key)),
            Condition::AtLeast(field, n) => format!("{} >= {}", self.name(field), self.value(number(*n))),
            Condition::AtMost(field, n) => format!("{} <= {}", self.name(field), self.value(number(*n))),
            Condition::Equals(field, scalar) => {
                format!("{} = {}", self.name(field), self.value(row_item::value(scalar)))
            }
        }
    }

    fn update(&mut self, changes: &BTreeMap<Cow<'static, str>, FieldChange>) -> String {
        let (mut sets, mut adds) = (Vec::new(), Vec::new());
        for (field, change) in changes {
            let name = self.name(field);
            match change {
                FieldChange::Set(scalar) => {
                    sets.push(format!("{name} = {}", self.value(row_item::value(scalar))));
                }
                FieldChange::Add(n) => {
                    adds.push(format!("{name} {}", self.value(AttributeValue::N(n.to_string()))));
                }
            }
        }
        let clause = |verb: &str, terms: &[String]| {
            (!terms.is_empty()).then(|| format!("{verb} {}", terms.join(", ")))
        };
        [clause("SET", &sets), clause("ADD", &adds)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What has been used, in the form the SDK takes.
    fn used(self) -> (Option<HashMap<String, String>>, Option<Item>) {
        let numbered = |prefix: &'static str| (0..).map(move |index| format!("{prefix}{index}"));
        let names: HashMap<_, _> = numbered("#n").zip(self.names).collect();
        let values: Item = numbered(":v").zip(self.values).collect();
        (Some(names).filter(|names| !names.is_empty()), Some(values).filter(|values| !values.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{RowKey, Scalar};

    fn write(change: Change, conditions: impl IntoIterator<Item = Condition>) -> Write {
        let guards = conditions.into_iter().map(|condition| Guard { condition, refusal: None }).collect();
        Write {
            key: RowKey { entity: "stock".into(), attribute: "sku".into(), value: "nw-1".into() },
            change,
            guards,
        }
    }

    #[test]
    fn an_update_sets_adds_and_checks_each_condition_once() {
        let changes = [
            ("available".into(), FieldChange::Add(-3)),
            ("status".into(), FieldChange::Set(Scalar::Text("low".into()))),
        ];
        let at_least = Condition::AtLeast("available".into(), 3);
        let write = write(Change::Update(changes.into()), [at_least.clone(), at_least, Condition::Exists]);
        let item = item("stock-table", &write).unwrap();
        let update = item.update().unwrap();
        assert_eq!(update.condition_expression(), Some("#n0 >= :v0 AND attribute_exists(#n1)"));
        assert_eq!(update.update_expression(), "SET #n2 = :v2 ADD #n0 :v1");
        let names = update.expression_attribute_names().unwrap();
        assert_eq!((&*names["#n0"], &*names["#n1"], &*names["#n2"]), ("available", "sku", "status"));
        let values = update.expression_attribute_values().unwrap();
        assert_eq!(values[":v1"], AttributeValue::N("-3".into()));
        assert_eq!(update.return_values_on_condition_check_failure(), Some(&AllOld));
    }

    #[test]
    fn an_insert_puts_the_whole_item_and_a_delete_takes_the_key() {
        let row = [("available".into(), Scalar::Number(39))];
        let insert = item("t", &write(Change::Insert(row.into()), [Condition::Absent])).unwrap();
        let put = insert.put().unwrap();
        assert_eq!(put.condition_expression(), Some("attribute_not_exists(#n0)"));
        assert_eq!(put.expression_attribute_values(), None);
        assert_eq!(put.item()["available"], AttributeValue::N("39".into()));
        let delete = item("t", &write(Change::Delete, [Condition::AtMost("available".into(), 0)])).unwrap();
        let delete = delete.delete().unwrap();
        assert_eq!(delete.condition_expression(), Some("#n0 <= :v0"));
        assert_eq!(delete.key(), &Item::from([("sku".into(), AttributeValue::S("nw-1".into()))]));
    }

    #[test]
    fn an_update_without_changes_is_a_check() {
        let equals = Condition::Equals("status".into(), Scalar::Text("PENDING".into()));
        let check = item("t", &write(Change::Update(BTreeMap::new()), [equals])).unwrap();
        assert_eq!(check.condition_check().unwrap().condition_expression(), "#n0 = :v0");
    }
}
