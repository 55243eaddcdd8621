//! A transaction as the items of a `TransactWriteItems`: the fence first, then the writes in order.

use super::{Tables, expression::Placeholders, fence_item, row_item};
use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};
use saga::{Change, Transaction, Unavailable, Write};

/// The items of a transaction. Each gives back the item it found when its condition fails.
pub(super) fn items(
    tables: &Tables,
    transaction: &Transaction,
) -> Result<Vec<TransactWriteItem>, Unavailable> {
    let mut items = vec![fence(tables, transaction)?];
    for write in &transaction.writes {
        let table = tables.of_entity(&write.key.entity)?;
        items.push(item(table, write)?);
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
    Ok(TransactWriteItem::builder().put(built(put)?).build())
}

fn built<T>(item: Result<T, BuildError>) -> Result<T, Unavailable> {
    item.map_err(|error| Unavailable(format!("a transaction could not be built: {error}")))
}

fn item(table: &str, write: &Write) -> Result<TransactWriteItem, Unavailable> {
    let item = TransactWriteItem::builder();
    let mut with = Placeholders::default();
    let condition = with.condition(write)?;
    let key = row_item::key(&write.key);
    Ok(match &write.change {
        Change::Insert(row) => {
            let (names, values) = with.used();
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(row_item::item(&write.key, row)?))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.put(built(put.build())?).build()
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
            item.delete(built(delete.build())?).build()
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
            item.condition_check(built(check.build())?).build()
        }
        Change::Update(changes) => {
            let expression = with.update(changes)?;
            let (names, values) = with.used();
            let update = Update::builder()
                .table_name(table)
                .set_key(Some(key))
                .update_expression(expression)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(AllOld);
            item.update(built(update.build())?).build()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::Item;
    use aws_sdk_dynamodb::types::AttributeValue;
    use saga::{Addition, Condition, FieldChange, Guard, RowKey, Scalar};
    use std::collections::BTreeMap;

    fn write(change: Change, conditions: impl IntoIterator<Item = Condition>) -> Write {
        let guards = conditions.into_iter().map(|condition| Guard { condition, refusal: None }).collect();
        Write {
            key: RowKey { entity: "stock".into(), attribute: "sku".into(), value: "nw-1".into() },
            change,
            guards,
        }
    }

    #[test]
    fn an_update_sets_removes_adds_and_checks_each_condition_once() {
        let changes = [
            ("available".into(), FieldChange::Add(Addition { n: -3, least: 0, most: 9 })),
            ("note".into(), FieldChange::Remove),
            ("status".into(), FieldChange::Set(Scalar::Text("low".into()))),
        ];
        let lacks = Condition::Lacks("organic".into());
        let write = write(Change::Update(changes.into()), [lacks.clone(), lacks, Condition::Exists]);
        let item = item("stock-table", &write).unwrap();
        let update = item.update().unwrap();
        assert_eq!(
            update.condition_expression(),
            Some("attribute_not_exists(#n0) AND attribute_exists(#n1) AND #n2 >= :v0 AND #n2 <= :v1")
        );
        assert_eq!(update.update_expression(), "SET #n4 = :v3 REMOVE #n3 ADD #n2 :v2");
        let names = update.expression_attribute_names().unwrap();
        let names: Vec<_> = (0..5).map(|n| &*names[&format!("#n{n}")]).collect();
        assert_eq!(names, ["organic", "sku", "available", "note", "status"]);
        let values = update.expression_attribute_values().unwrap();
        let numbers: Vec<_> = (0..3).map(|n| values[&format!(":v{n}")].as_n().unwrap().as_str()).collect();
        assert_eq!(numbers, ["3", "9", "-3"]);
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
