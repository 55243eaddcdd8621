// No store can keep two fields of one attribute apart.
use saga::{Entities, Entity, EntitySpec, Field, FieldSpec};

struct Stock;
impl Entity for Stock {
    const NAME: &'static str = "stock";
    const KEY: &'static str = "sku";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Stock::AVAILABLE.spec(), Stock::RESERVED.spec()];
}
impl Stock {
    const AVAILABLE: Field<Stock, u32> = Field::new("available");
    const RESERVED: Field<Stock, u32> = Field::new("available");
}

const _: &[EntitySpec] = <(Stock,) as Entities>::SPECS;

fn main() {}
