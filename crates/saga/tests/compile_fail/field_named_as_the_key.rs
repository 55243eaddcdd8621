// No store can change the key of an item.
use saga::{Entities, Entity, EntitySpec, Field, FieldSpec};

struct Stock;
impl Entity for Stock {
    const NAME: &'static str = "stock";
    const KEY: &'static str = "sku";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Stock::SKU.spec()];
}
impl Stock {
    const SKU: Field<Stock, String> = Field::new("sku");
}

const _: &[EntitySpec] = <(Stock,) as Entities>::SPECS;

fn main() {}
