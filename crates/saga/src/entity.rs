//! Entities: what a participant stores. Declared once; tables, typed writes and the checker's state follow.

use crate::{
    declaration,
    tuples::all_the_tuples,
    write::{Row, RowKey, Scalar},
};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{self, Debug},
    marker::PhantomData,
};

/// A kind of item a participant stores, identified by one key. The derive of this name writes it from a struct that declares
/// the fields:
///
/// ```
/// use saga::{Entity, Field, FieldSpec};
///
/// struct Stock;
/// impl Entity for Stock {
///     const NAME: &'static str = "stock";
///     const KEY: &'static str = "sku";
///     type Key = String;
///     const FIELDS: &'static [FieldSpec] = &[Stock::AVAILABLE.spec()];
/// }
/// impl Stock {
///     const AVAILABLE: Field<Stock, u32> = Field::new("available");
/// }
/// let row = Stock::row("nw-1".to_owned()).with(Stock::AVAILABLE, 39_u32);
/// # let _ = row;
/// ```
pub trait Entity: Sized + Send + Sync + 'static {
    /// The stable name: of the table, and of the variable that tells functions the table's name. Lower-case letters,
    /// digits and `-`.
    const NAME: &'static str;

    /// The name of the key attribute.
    const KEY: &'static str;

    /// The type of the key; stored as text.
    type Key: FieldType;

    /// Every field but the key, each with an attribute of its own, or the program does not compile; a commit that names
    /// another field, or one of these with another type, is refused. An undo looks whether somebody else has put one of
    /// these on an item, and leaves what is not declared alone.
    const FIELDS: &'static [FieldSpec];

    /// The key of one item.
    fn key(key: impl Into<Self::Key>) -> RowKey {
        RowKey {
            entity: Self::NAME.into(),
            attribute: Self::KEY.into(),
            value: key.into().to_scalar().to_text(),
        }
    }

    /// A new item with this key; give it fields with [`NewRow::with`].
    fn row(key: impl Into<Self::Key>) -> NewRow<Self> {
        NewRow { key: Self::key(key), fields: Row::new(), entity: PhantomData }
    }
}

/// One field of the entity `E`, of type `T`.
pub struct Field<E, T> {
    name: &'static str,
    types: PhantomData<fn() -> (E, T)>,
}

impl<E, T> Field<E, T> {
    /// Declares a field by its attribute name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The attribute name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The field as data, for [`Entity::FIELDS`].
    pub const fn spec(self) -> FieldSpec
    where
        T: FieldType,
    {
        FieldSpec { name: self.name, kind: T::KIND }
    }

    /// Reads the field from a row; `None` when it is absent or of another type.
    pub fn read(self, row: &Row) -> Option<T>
    where
        T: FieldType,
    {
        T::from_scalar(row.get(self.name)?)
    }
}

// Not derived: a derive would demand that the entity and the type are `Clone`, `Copy` and `Debug` too.
impl<E, T> Clone for Field<E, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, T> Copy for Field<E, T> {}

impl<E, T> Debug for Field<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?})", self.name)
    }
}

/// A type that a field can have: one of these, or an enum that derives it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type that a field of an entity can have",
    label = "it has no stored form",
    note = "use `String`, `u32` or `i64`, or an enum with `#[derive(saga::FieldType)]`"
)]
pub trait FieldType: Sized {
    /// How it is stored.
    const KIND: FieldKind;

    /// Its stored form.
    fn to_scalar(&self) -> Scalar;

    /// Reads the stored form; `None` when it does not fit.
    fn from_scalar(scalar: &Scalar) -> Option<Self>;
}

/// A type of numbers that a field can have: what is added to one, or subtracted, leaves it within its range.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of numbers that a field can have",
    label = "only numbers are added and compared",
    note = "declare the field with a type of numbers, such as `u32` or `i64`"
)]
pub trait NumberType: FieldType + Into<i64> {
    /// The least number it holds.
    const LEAST: i64;

    /// The largest number it holds.
    const MOST: i64;

    /// How much is subtracted from one. It has no sign: less than nothing would be added.
    type Amount: Into<u64>;
}

impl FieldType for String {
    const KIND: FieldKind = FieldKind::Text;

    fn to_scalar(&self) -> Scalar {
        Scalar::Text(self.clone())
    }

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Text(text) => Some(text.clone()),
            Scalar::Number(_) | Scalar::Opaque { .. } => None,
        }
    }
}

macro_rules! number_fields {
    ($($number:ty: $amount:ty),+) => {$(
        impl FieldType for $number {
            const KIND: FieldKind = FieldKind::Number;

            fn to_scalar(&self) -> Scalar {
                Scalar::Number(i64::from(*self))
            }

            fn from_scalar(scalar: &Scalar) -> Option<Self> {
                match scalar {
                    Scalar::Number(number) => (*number).try_into().ok(),
                    Scalar::Text(_) | Scalar::Opaque { .. } => None,
                }
            }
        }

        impl NumberType for $number {
            const LEAST: i64 = <$number>::MIN as i64;
            const MOST: i64 = <$number>::MAX as i64;
            type Amount = $amount;
        }
    )+};
}

number_fields! { u32: u32, i64: u64 }

/// How a field is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// A whole number, `-2^63` to `2^63 - 1`.
    Number,
    /// Text.
    Text,
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Text => "text",
        })
    }
}

/// A field as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// The attribute name.
    pub name: &'static str,
    /// How it is stored.
    pub kind: FieldKind,
}

/// An entity as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntitySpec {
    /// The stable name.
    pub name: &'static str,
    /// The key attribute.
    pub key: &'static str,
    /// Every other attribute.
    pub fields: &'static [FieldSpec],
}

impl EntitySpec {
    /// The entity as data.
    ///
    /// # Panics
    /// While compiling, when its attributes cannot be kept apart.
    const fn of<E: Entity>() -> Self {
        declaration::check(E::NAME, E::KEY, E::FIELDS);
        Self { name: E::NAME, key: E::KEY, fields: E::FIELDS }
    }

    /// The declared fields of the entity with this name; none, when it is not among these.
    pub(crate) fn fields_of(entities: &[Self], name: &str) -> &'static [FieldSpec] {
        entities.iter().find(|entity| entity.name == name).map_or(&[], |entity| entity.fields)
    }
}

/// A tuple of up to 16 [`Entity`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of up to 16 entities",
    label = "a tuple of up to 16 entities is needed here",
    note = "write `(Stock,)` for one; a participant of more than 16 entities is two participants"
)]
pub trait Entities {
    /// The entities as data.
    const SPECS: &'static [EntitySpec];
}

macro_rules! entities {
    ($(($entity:ident $_in:ident $_at:ident $_n:literal))*) => {
        impl<$($entity: Entity),*> Entities for ($($entity,)*) {
            const SPECS: &'static [EntitySpec] = &[$(EntitySpec::of::<$entity>()),*];
        }
    };
}

all_the_tuples! { entities }

/// An item to insert.
#[derive(Debug, Clone)]
#[must_use = "insert it: `commit.insert(row)`"]
pub struct NewRow<E> {
    pub(crate) key: RowKey,
    pub(crate) fields: Row,
    entity: PhantomData<fn() -> E>,
}

impl<E: Entity> NewRow<E> {
    /// Sets a field.
    pub fn with<T: FieldType>(mut self, field: Field<E, T>, value: impl Into<T>) -> Self {
        self.fields.insert(field.name().into(), value.into().to_scalar());
        self
    }

    /// The key and the fields.
    pub fn into_parts(self) -> (RowKey, Row) {
        (self.key, self.fields)
    }
}
