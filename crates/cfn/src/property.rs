//! What properties are made of: the set of them, lists, maps and tags.

use std::marker::PhantomData;

use serde::{Serialize, Serializer};

pub(crate) use serde_json::Value as Json;

use crate::condition::Condition;
use crate::kind::Arn;
use crate::parameter::ListParam;
pub(crate) use crate::value::Value;
use crate::value::chosen;

/// What can be the value of a property: it has a JSON form.
pub trait Property {
    /// The JSON that goes into the template.
    fn into_json(self) -> Json;
}

impl Property for Json {
    fn into_json(self) -> Json {
        self
    }
}

/// The properties that were set, by their AWS names.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Properties(serde_json::Map<String, Json>);

impl Properties {
    /// No properties.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// These properties; anything but an object is none.
    pub(crate) fn from_json(json: Json) -> Self {
        match json {
            Json::Object(fields) => Self(fields),
            _ => Self::new(),
        }
    }

    /// Sets a property, whatever it was before.
    pub(crate) fn with<P: Property>(mut self, name: &str, value: P) -> Self {
        self.0.insert(name.to_owned(), value.into_json());
        self
    }

    /// The object that a property holds, made if there is none, to set one of its members.
    pub(crate) fn object(&mut self, name: &str) -> &mut serde_json::Map<String, Json> {
        let entry = self.0.entry(name).or_insert(Json::Null);
        if !entry.is_object() {
            *entry = Json::Object(serde_json::Map::new());
        }
        match entry {
            Json::Object(fields) => fields,
            _ => unreachable!("made an object just above"),
        }
    }

    /// The JSON object of all properties.
    pub(crate) fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

/// A list property; made from anything that can be iterated over items that convert, or from a parameter or an
/// intrinsic function that gives the whole list.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T> {
    json: Json,
    item: PhantomData<fn() -> T>,
}

impl<T: Property, I> From<I> for List<T>
where
    I: IntoIterator,
    I::Item: Into<T>,
{
    fn from(items: I) -> Self {
        let items = items.into_iter().map(|item| item.into().into_json()).collect();
        Self::of(Json::Array(items))
    }
}

impl<T> List<T> {
    /// `Fn::If`: one list while the condition holds, the other while it does not. For one item that is there only
    /// sometimes, use [`Value::when`] as an item.
    #[must_use]
    pub fn when(condition: &Condition, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        Self::of(chosen(condition, then.into().json, otherwise.into().json))
    }

    /// `AWS::NoValue`: as if the property had not been written. Of use inside [`List::when`].
    #[must_use]
    pub fn no_value() -> Self {
        Self::of(Value::<Json>::no_value().into_json())
    }

    fn of(json: Json) -> Self {
        Self { json, item: PhantomData }
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<&ListParam> for List<Value<T>> {
    fn from(parameter: &ListParam) -> Self {
        Self::of(Value::<Vec<T>>::from(parameter).into_json())
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<Value<Vec<T>>> for List<T> {
    fn from(list: Value<Vec<T>>) -> Self {
        Self::of(list.into_json())
    }
}

/// An attribute that is a list of text is one of typed text too.
#[diagnostic::do_not_recommend]
impl<T> From<Value<Vec<String>>> for List<Value<T>> {
    fn from(list: Value<Vec<String>>) -> Self {
        Self::of(list.into_json())
    }
}

/// A list of ARNs is one of whatever takes such an ARN.
#[diagnostic::do_not_recommend]
impl<R, T> From<Value<Vec<Arn<R>>>> for List<Value<T>>
where
    Value<T>: From<Value<Arn<R>>>,
{
    fn from(list: Value<Vec<Arn<R>>>) -> Self {
        Self::of(list.into_json())
    }
}

impl<T> Property for List<T> {
    fn into_json(self) -> Json {
        self.json
    }
}

impl<T> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// A map property, ordered by key; made from pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<T> {
    json: Json,
    item: PhantomData<fn() -> T>,
}

impl<T: Property, I, K, V> From<I> for Map<T>
where
    I: IntoIterator<Item = (K, V)>,
    K: Into<String>,
    V: Into<T>,
{
    fn from(pairs: I) -> Self {
        let fields = pairs.into_iter().map(|(key, value)| (key.into(), value.into().into_json())).collect();
        Self::of(Json::Object(fields))
    }
}

impl<T> Map<T> {
    /// `Fn::If`: one map while the condition holds, the other while it does not.
    #[must_use]
    pub fn when(condition: &Condition, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        Self::of(chosen(condition, then.into().json, otherwise.into().json))
    }

    /// `AWS::NoValue`: as if the property had not been written. Of use inside [`Map::when`].
    #[must_use]
    pub fn no_value() -> Self {
        Self::of(Value::<Json>::no_value().into_json())
    }

    fn of(json: Json) -> Self {
        Self { json, item: PhantomData }
    }
}

impl<T> Property for Map<T> {
    fn into_json(self) -> Json {
        self.json
    }
}

impl<T> Serialize for Map<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// A tag of a resource: a key of 1 to 128 characters and a value of up to 256.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Tag(Json);

impl Tag {
    /// A tag.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        Self(serde_json::json!({ "Key": key.into(), "Value": value.into() }))
    }
}

impl<K: Into<String>, V: Into<Value<String>>> From<(K, V)> for Tag {
    fn from((key, value): (K, V)) -> Self {
        Self::new(key, value)
    }
}

impl Property for Tag {
    fn into_json(self) -> Json {
        self.0
    }
}

#[diagnostic::do_not_recommend]
impl From<Tag> for Value<Tag> {
    fn from(tag: Tag) -> Self {
        Self::from_json(tag.0)
    }
}

/// A tag that is there only while a condition holds.
#[diagnostic::do_not_recommend]
impl From<Value<Tag>> for Tag {
    fn from(value: Value<Tag>) -> Self {
        Self(value.into_json())
    }
}
