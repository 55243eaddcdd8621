//! What the participants have stored, read from their tables, and the stock that is put in.

use crate::start::System;
use anyhow::{Context, Result, anyhow, ensure};
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, PutRequest, ReturnValue, TransactWriteItem, Update, WriteRequest},
};
use futures::{StreamExt, TryStreamExt, stream};
use saga::{Entity, Field, FieldType, StepKey, fence::FenceState, fence_table};
use sagas::entities::{LedgerEntry, Order, OrderStatus, Stock};
use std::collections::{BTreeMap, HashMap};

type Item = HashMap<String, AttributeValue>;

/// The most items of one `BatchWriteItem`.
const BATCH: usize = 25;
const BATCHES_AT_ONCE: usize = 4;
/// A batch is written in parts when the table is busy.
const BATCH_TRIES: u32 = 10;

/// The stock of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockLevel {
    /// Units that can be reserved.
    pub available: i64,
    /// Units reserved by pending and confirmed orders.
    pub reserved: i64,
}

/// An order as the orders service keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id.
    pub order_id: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who ordered.
    pub customer_id: String,
    /// The total in minor units.
    pub total_minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
    /// Why it was rejected or cancelled.
    pub reason: Option<String>,
}

/// A charge as the payment service keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The order it is for.
    pub order_id: String,
    /// The gateway's id of the charge.
    pub charge_id: Option<String>,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
    /// [`LedgerEntry::CHARGED`] or [`LedgerEntry::REFUNDED`].
    pub status: String,
}

impl System {
    /// Puts this many units of each product on the shelf, none of them reserved, whatever was there before.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn load_stock(&self, stock: &[(&str, u32)]) -> Result<()> {
        let batches: Vec<Vec<WriteRequest>> =
            stock.chunks(BATCH).map(|batch| batch.iter().map(put_stock).collect()).collect::<Result<_>>()?;
        let written = stream::iter(batches).map(|batch| self.write_batch(Stock::NAME, batch));
        written.buffer_unordered(BATCHES_AT_ONCE).try_collect().await
    }

    /// Puts a product on the shelf as it is said to stand there.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_stock(&self, sku: &str, level: StockLevel) -> Result<()> {
        let (available, reserved) = (u32::try_from(level.available)?, u32::try_from(level.reserved)?);
        let row = Stock::row(sku).with(Stock::AVAILABLE, available).with(Stock::RESERVED, reserved);
        self.write_batch(Stock::NAME, vec![put(row)?]).await
    }

    /// Takes a product away behind the back of the inventory service; gives what there was of it.
    ///
    /// # Errors
    /// When the table cannot be written or the item is not a product's.
    pub async fn take_off_shelf(&self, sku: &str) -> Result<Option<StockLevel>> {
        let key = AttributeValue::S(sku.to_owned());
        let asked = self.clients().dynamodb.delete_item().table_name(self.table(Stock::NAME));
        let asked = asked.key(Stock::KEY, key).return_values(ReturnValue::AllOld);
        let taken = asked.send().await.with_context(|| format!("cannot take away {sku}"))?;
        taken.attributes.as_ref().map(stock_level).transpose()
    }

    /// Puts units that are reserved back on the shelf by hand, of all these products or of none; says whether. Not when a
    /// product is missing or has fewer reserved, and not while somebody else writes one of them.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_back_by_hand(&self, units: &BTreeMap<String, i64>) -> Result<bool> {
        let put_back = |(sku, units): (&String, &i64)| {
            let update = Update::builder()
                .table_name(self.table(Stock::NAME))
                .key(Stock::KEY, AttributeValue::S(sku.clone()))
                .update_expression("SET #available = #available + :units, #reserved = #reserved - :units")
                .condition_expression("#reserved >= :units")
                .expression_attribute_names("#available", Stock::AVAILABLE.name())
                .expression_attribute_names("#reserved", Stock::RESERVED.name())
                .expression_attribute_values(":units", AttributeValue::N(units.to_string()));
            Ok(TransactWriteItem::builder().update(update.build()?).build())
        };
        let writes: Vec<_> = units.iter().map(put_back).collect::<Result<_>>()?;
        let write = self.clients().dynamodb.transact_write_items().set_transact_items(Some(writes));
        match write.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(TransactWriteItemsError::is_transaction_canceled_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(error).with_context(|| format!("cannot put back {units:?}")),
        }
    }

    /// The stock of one product.
    ///
    /// # Errors
    /// When the table cannot be read or the item is not a product's.
    pub async fn stock(&self, sku: &str) -> Result<Option<StockLevel>> {
        self.get::<Stock>(sku).await?.as_ref().map(stock_level).transpose()
    }

    /// The stock of every product, by SKU.
    ///
    /// # Errors
    /// As [`stock`](Self::stock).
    pub async fn all_stock(&self) -> Result<BTreeMap<String, StockLevel>> {
        let items = self.scan::<Stock>().await?;
        items.iter().map(|item| Ok((key::<Stock>(item)?, stock_level(item)?))).collect()
    }

    /// One order.
    ///
    /// # Errors
    /// When the table cannot be read or the item is not an order.
    pub async fn order(&self, id: &str) -> Result<Option<OrderRow>> {
        self.get::<Order>(id).await?.as_ref().map(order_row).transpose()
    }

    /// Every order, by id.
    ///
    /// # Errors
    /// As [`order`](Self::order).
    pub async fn all_orders(&self) -> Result<BTreeMap<String, OrderRow>> {
        let rows = self.scan::<Order>().await?;
        rows.iter().map(|item| order_row(item).map(|row| (row.order_id.clone(), row))).collect()
    }

    /// How many orders there are, by stored status.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn order_counts(&self) -> Result<BTreeMap<&'static str, usize>> {
        let mut counts = BTreeMap::new();
        for item in self.scan_fields::<Order>(&[Order::STATUS.name()]).await? {
            *counts.entry(field(&item, Order::STATUS)?.as_str()).or_default() += 1;
        }
        Ok(counts)
    }

    /// Writes an order as it is, behind the back of the orders service.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_order(&self, row: &OrderRow) -> Result<()> {
        let fields = Order::row(row.order_id.clone())
            .with(Order::STATUS, row.status)
            .with(Order::CUSTOMER_ID, row.customer_id.clone())
            .with(Order::TOTAL_MINOR, row.total_minor)
            .with(Order::CURRENCY, row.currency.clone());
        let fields = match &row.reason {
            Some(reason) => fields.with(Order::REASON, reason.clone()),
            None => fields,
        };
        self.write_batch(Order::NAME, vec![put(fields)?]).await
    }

    /// Sets the fence of a step to `undone`, behind the back of its participant: nothing is reversed.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_undone_fence(&self, participant: &str, key: &StepKey) -> Result<()> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.clients().dynamodb.put_item();
        let put = put.table_name(self.output(&stacks::outputs::fence_table_name(participant)));
        let put = put
            .item(fence_table::SAGA_ID, text(key.saga_id.as_str()))
            .item(fence_table::STEP, text(&key.place()));
        let put = put.item(fence_table::STATE, text(FenceState::Undone.as_str()));
        put.send().await.with_context(|| format!("cannot write the fence {key}"))?;
        Ok(())
    }

    /// The ledger entry of one order.
    ///
    /// # Errors
    /// When the table cannot be read or the item is not a ledger entry.
    pub async fn ledger_entry(&self, id: &str) -> Result<Option<LedgerRow>> {
        self.get::<LedgerEntry>(id).await?.as_ref().map(ledger_row).transpose()
    }

    /// Every ledger entry, by order id.
    ///
    /// # Errors
    /// As [`ledger_entry`](Self::ledger_entry).
    pub async fn ledger(&self) -> Result<BTreeMap<String, LedgerRow>> {
        let rows = self.scan::<LedgerEntry>().await?;
        rows.iter().map(|item| ledger_row(item).map(|row| (row.order_id.clone(), row))).collect()
    }

    pub(crate) fn table(&self, entity: &str) -> &str {
        self.output(&stacks::outputs::table_name(entity))
    }

    pub(crate) async fn get<E: Entity>(&self, key: &str) -> Result<Option<Item>> {
        let asked = self.clients().dynamodb.get_item().table_name(self.table(E::NAME)).consistent_read(true);
        let answer = asked.key(E::KEY, AttributeValue::S(key.to_owned())).send().await;
        Ok(answer.with_context(|| format!("cannot read {key:?} of the table of {}", E::NAME))?.item)
    }

    pub(crate) async fn scan<E: Entity>(&self) -> Result<Vec<Item>> {
        self.scan_fields::<E>(&[]).await
    }

    /// No fields: all of them.
    async fn scan_fields<E: Entity>(&self, fields: &[&str]) -> Result<Vec<Item>> {
        let mut asked = self.clients().dynamodb.scan().table_name(self.table(E::NAME)).consistent_read(true);
        for (n, name) in fields.iter().enumerate() {
            asked = asked.expression_attribute_names(format!("#f{n}"), *name);
        }
        let names: Vec<String> = (0..fields.len()).map(|n| format!("#f{n}")).collect();
        let asked = asked.set_projection_expression((!names.is_empty()).then(|| names.join(", ")));
        let items = asked.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.with_context(|| format!("cannot read the table of {}", E::NAME))
    }

    pub(crate) async fn write_batch(&self, entity: &str, batch: Vec<WriteRequest>) -> Result<()> {
        let table = self.table(entity);
        let mut left = HashMap::from([(table.to_owned(), batch)]);
        for _ in 0..BATCH_TRIES {
            let answer =
                self.clients().dynamodb.batch_write_item().set_request_items(Some(left)).send().await;
            let answer = answer.with_context(|| format!("cannot write the table of {entity}"))?;
            left = answer.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(anyhow!("the table of {entity} took only a part of a batch, {BATCH_TRIES} times"))
    }
}

fn put_stock((sku, units): &(&str, u32)) -> Result<WriteRequest> {
    put(Stock::row(*sku).with(Stock::AVAILABLE, *units).with(Stock::RESERVED, 0_u32))
}

pub(crate) fn put<E: Entity>(row: saga::NewRow<E>) -> Result<WriteRequest> {
    let (key, fields) = row.into_parts();
    let mut item = Item::from([(key.attribute.into_owned(), AttributeValue::S(key.value))]);
    for (name, value) in fields {
        item.insert(name.into_owned(), attribute(&value));
    }
    let put = PutRequest::builder().set_item(Some(item)).build().context("an item needs attributes")?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn attribute(scalar: &saga::Scalar) -> AttributeValue {
    match scalar {
        saga::Scalar::Text(text) => AttributeValue::S(text.clone()),
        saga::Scalar::Number(number) => AttributeValue::N(number.to_string()),
        saga::Scalar::Opaque { .. } => unreachable!("no field holds {scalar:?}"),
    }
}

fn stock_level(item: &Item) -> Result<StockLevel> {
    let (available, reserved) = (field(item, Stock::AVAILABLE)?, field(item, Stock::RESERVED)?);
    Ok(StockLevel { available: available.into(), reserved: reserved.into() })
}

fn order_row(item: &Item) -> Result<OrderRow> {
    Ok(OrderRow {
        order_id: key::<Order>(item)?,
        status: field(item, Order::STATUS)?,
        customer_id: field(item, Order::CUSTOMER_ID)?,
        total_minor: field(item, Order::TOTAL_MINOR)?,
        currency: field(item, Order::CURRENCY)?,
        reason: optional(item, Order::REASON)?,
    })
}

fn ledger_row(item: &Item) -> Result<LedgerRow> {
    Ok(LedgerRow {
        order_id: key::<LedgerEntry>(item)?,
        charge_id: optional(item, LedgerEntry::CHARGE_ID)?,
        amount_minor: field(item, LedgerEntry::AMOUNT_MINOR)?,
        currency: field(item, LedgerEntry::CURRENCY)?,
        status: field(item, LedgerEntry::STATUS)?,
    })
}

pub(crate) fn key<E: Entity>(item: &Item) -> Result<String> {
    let value = item.get(E::KEY).and_then(|value| value.as_s().ok());
    value.cloned().with_context(|| format!("an item of the table of {} has no {}: {item:?}", E::NAME, E::KEY))
}

pub(crate) fn field<E: Entity, T: FieldType>(item: &Item, field: Field<E, T>) -> Result<T> {
    optional(item, field)?
        .with_context(|| format!("an item of {} has no {}: {item:?}", E::NAME, field.name()))
}

fn optional<E: Entity, T: FieldType>(item: &Item, field: Field<E, T>) -> Result<Option<T>> {
    let Some(value) = item.get(field.name()) else { return Ok(None) };
    let scalar = match value {
        AttributeValue::S(text) => saga::Scalar::Text(text.clone()),
        AttributeValue::N(number) => saga::Scalar::Number(number.parse()?),
        other => return Err(anyhow!("{} of an item of {} is {other:?}", field.name(), E::NAME)),
    };
    let read = T::from_scalar(&scalar);
    ensure!(read.is_some(), "{} of an item of {} cannot be {scalar:?}", field.name(), E::NAME);
    Ok(read)
}
