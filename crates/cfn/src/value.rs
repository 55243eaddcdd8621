//! Property values: literals, parameters and intrinsic functions, each of a stated kind.

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::condition::Condition;
use crate::kind::{AnyArn, Arn, Text, TypedText};
use crate::mapping::Mapping;
use crate::parameter::{ListParam, Param};
use crate::property::Property;
use crate::pseudo;

/// A property value of kind `T`: a literal, a parameter, or an intrinsic function.
///
/// The kind exists at compile time only. It keeps the ARN of a topic out of a property that wants the ARN
/// of a queue; in the template both are strings.
pub struct Value<T> {
    json: Json,
    kind: PhantomData<fn() -> T>,
}

impl<T> Value<T> {
    /// The value that this JSON stands for; intrinsic functions are written out (`{"Ref": "Orders"}`).
    ///
    /// The escape for what the typed constructors do not cover.
    #[must_use]
    pub fn from_json(json: Json) -> Self {
        Self { json, kind: PhantomData }
    }

    /// `Fn::Sub`: the text with every `${LogicalId}`, `${LogicalId.Attribute}` and `${AWS::Region}` replaced.
    ///
    /// Build a template with a `${Name}` that is not in it and it is refused.
    #[must_use]
    pub fn sub(text: impl Into<String>) -> Self {
        Self::from_json(json!({ "Fn::Sub": text.into() }))
    }

    /// `Fn::Sub` with variables of its own: every `${Name}` becomes the value given for `Name`.
    #[must_use]
    pub fn sub_with<N: Into<String>>(
        text: impl Into<String>,
        variables: impl IntoIterator<Item = (N, Value<String>)>,
    ) -> Self {
        let variables: serde_json::Map<String, Json> =
            variables.into_iter().map(|(name, value)| (name.into(), value.json)).collect();
        if variables.is_empty() {
            return Self::sub(text);
        }
        Self::from_json(json!({ "Fn::Sub": [text.into(), variables] }))
    }

    /// `Fn::Join`: the parts with `delimiter` between them.
    #[must_use]
    pub fn join(delimiter: &str, parts: impl IntoIterator<Item = impl Into<Value<String>>>) -> Self {
        let parts: Vec<Json> = parts.into_iter().map(|part| part.into().json).collect();
        Self::from_json(json!({ "Fn::Join": [delimiter, parts] }))
    }

    /// `Fn::If`: one value while the condition holds, the other while it does not.
    #[must_use]
    pub fn when(condition: &Condition, then: impl Into<Value<T>>, otherwise: impl Into<Value<T>>) -> Self {
        Self::from_json(chosen(condition, then.into().json, otherwise.into().json))
    }

    /// `AWS::NoValue`: as if the property had not been written. Of use inside [`Value::when`].
    #[must_use]
    pub fn no_value() -> Self {
        Self::from_json(json!({ "Ref": pseudo::NO_VALUE }))
    }

    /// `Fn::ImportValue`: what another stack exports under this name.
    #[must_use]
    pub fn import(export: impl Into<Value<String>>) -> Self {
        Self::from_json(json!({ "Fn::ImportValue": export.into().json }))
    }

    /// `Fn::FindInMap`: an entry of a mapping of the same template; a list where the entry is one, as in
    /// `Value::<Vec<String>>::find_in_map(…)`.
    #[must_use]
    pub fn find_in_map(
        mapping: &Mapping,
        top: impl Into<Value<String>>,
        second: impl Into<Value<String>>,
    ) -> Self {
        Self::from_json(json!({ "Fn::FindInMap": [mapping.name(), top.into().json, second.into().json] }))
    }

    /// `Fn::Select`: the item of a list at an index, counted from 0.
    #[must_use]
    pub fn select(index: usize, list: &Value<Vec<T>>) -> Self {
        Self::from_json(json!({ "Fn::Select": [index, list.json] }))
    }

    /// The same value as another kind. You vouch for it: nothing checks that it is one.
    #[must_use]
    pub fn retype<U>(self) -> Value<U> {
        Value::from_json(self.json)
    }

    /// The JSON that goes into the template.
    #[must_use]
    pub fn as_json(&self) -> &Json {
        &self.json
    }

    pub(crate) fn reference_to(logical_id: &str) -> Self {
        Self::from_json(json!({ "Ref": logical_id }))
    }

    pub(crate) fn attribute_of(logical_id: &str, attribute: &str) -> Self {
        Self::from_json(json!({ "Fn::GetAtt": [logical_id, attribute] }))
    }
}

/// `Fn::If` of two values as they stand.
pub(crate) fn chosen(condition: &Condition, then: Json, otherwise: Json) -> Json {
    let arguments = vec![condition.name().into(), then, otherwise];
    json!({ "Fn::If": Json::Array(arguments) })
}

impl Value<String> {
    /// [`Value::sub`] as plain text: where text is wanted the kind need not be written out.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::sub(text)
    }

    /// `Fn::Base64`: the text in Base64, as `UserData` of instances wants it.
    #[must_use]
    pub fn base64(text: impl Into<Value<String>>) -> Self {
        Self::from_json(json!({ "Fn::Base64": text.into().json }))
    }

    /// `Fn::Join` of a list that only CloudFormation knows: its items with `delimiter` between them.
    #[must_use]
    pub fn join_list<T>(delimiter: &str, list: impl Into<Value<Vec<T>>>) -> Self {
        Self::from_json(json!({ "Fn::Join": [delimiter, list.into().json] }))
    }
}

impl Value<Vec<String>> {
    /// `Fn::Split`: the parts of the text between the delimiters.
    #[must_use]
    pub fn split(delimiter: &str, text: impl Into<Value<String>>) -> Self {
        Self::from_json(json!({ "Fn::Split": [delimiter, text.into().json] }))
    }

    /// `Fn::GetAZs`: the availability zones of a region, [`pseudo::region`] for that of the stack.
    #[must_use]
    pub fn availability_zones(region: impl Into<Value<String>>) -> Self {
        Self::from_json(json!({ "Fn::GetAZs": region.into().json }))
    }

    /// `Fn::Cidr`: `count` address blocks out of a block, 1 to 256 of them, each with `host_bits` bits for hosts (8 gives
    /// a `/24` for IPv4).
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html>
    #[must_use]
    pub fn cidr(block: impl Into<Value<String>>, count: u16, host_bits: u8) -> Self {
        Self::from_json(json!({ "Fn::Cidr": [block.into().json, count, host_bits] }))
    }
}

impl<R> Value<Arn<R>> {
    /// The ARN of a resource of this account and region, written from pseudo parameters:
    /// `arn:${AWS::Partition}:<service>:${AWS::Region}:${AWS::AccountId}:<prefix><name>`.
    ///
    /// Unlike a reference it does not make CloudFormation create the resource first, so it cuts dependency cycles.
    #[must_use]
    pub fn of_this_account(service: &str, prefix: &str, name: impl Into<Value<String>>) -> Self {
        let start =
            format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{prefix}");
        let name = name.into();
        match name.json.as_str() {
            Some(literal) => Self::sub(start + &escape_sub(literal)),
            None => Self::sub_with(start + "${Name}", [("Name", name)]),
        }
    }

    /// The ARN of something below this resource: this ARN followed by `suffix`, as in `.../index/*`.
    #[must_use]
    pub fn suffixed(&self, suffix: &str) -> Value<AnyArn> {
        Value::from_json(json!({ "Fn::Join": ["", [self.json, suffix]] }))
    }
}

// The conversions below are not recommended by the compiler: when one is missing, the kinds in the message say what is
// wrong, and a list of the conversions that exist would bury it.

/// Text as `Fn::Sub` must see it to leave it alone: `${` becomes `${!`.
pub(crate) fn escape_sub(text: &str) -> String {
    text.replace("${", "${!")
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self::from_json(self.json.clone())
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.json, f)
    }
}

impl<T> PartialEq for Value<T> {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl<T> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<T> Property for Value<T> {
    fn into_json(self) -> Json {
        self.json
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<Value<T>> for Json {
    fn from(value: Value<T>) -> Self {
        value.json
    }
}

#[diagnostic::do_not_recommend]
impl From<&Param> for Json {
    fn from(parameter: &Param) -> Self {
        Value::<String>::from(parameter).json
    }
}

#[diagnostic::do_not_recommend]
impl<T: Text> From<&str> for Value<T> {
    fn from(literal: &str) -> Self {
        Self::from_json(literal.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Text> From<String> for Value<T> {
    fn from(literal: String) -> Self {
        Self::from_json(literal.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Text> From<&String> for Value<T> {
    fn from(literal: &String) -> Self {
        Self::from_json(literal.as_str().into())
    }
}

#[diagnostic::do_not_recommend]
impl<T: TypedText> From<Value<T>> for Value<String> {
    fn from(value: Value<T>) -> Self {
        value.retype()
    }
}

#[diagnostic::do_not_recommend]
impl<R> From<Value<Arn<R>>> for Value<AnyArn> {
    fn from(value: Value<Arn<R>>) -> Self {
        value.retype()
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<&Value<T>> for Value<T> {
    fn from(value: &Value<T>) -> Self {
        value.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<&Param> for Value<T> {
    fn from(parameter: &Param) -> Self {
        Self::reference_to(parameter.name())
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<Param> for Value<T> {
    fn from(parameter: Param) -> Self {
        Self::reference_to(parameter.name())
    }
}

#[diagnostic::do_not_recommend]
impl<T> From<&ListParam> for Value<Vec<T>> {
    fn from(parameter: &ListParam) -> Self {
        Self::reference_to(parameter.name())
    }
}

#[diagnostic::do_not_recommend]
impl From<bool> for Value<bool> {
    fn from(literal: bool) -> Self {
        Self::from_json(literal.into())
    }
}

#[cfg(all(test, feature = "default"))]
mod tests {
    use super::*;
    use crate::sqs::Queue;

    #[test]
    fn an_arn_of_this_account_is_one_substitution() {
        assert_eq!(
            Value::<Arn<Queue>>::of_this_account("sqs", "", "orders").as_json(),
            &json!({ "Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders" })
        );
    }

    #[test]
    fn a_literal_in_a_substitution_is_escaped() {
        assert_eq!(escape_sub("a ${b}"), "a ${!b}");
    }
}
