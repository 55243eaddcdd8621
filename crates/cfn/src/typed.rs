//! What generated and hand-written property structs have in common, as macros.

/// A struct of properties: how it is written, and that a value of the whole struct can stand for it (`Fn::If`).
macro_rules! property_struct {
    ($($Struct:ident)*) => {$(
        impl serde::Serialize for $Struct {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl $crate::property::Property for $Struct {
            fn into_json(self) -> $crate::property::Json {
                self.0.into_json()
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$Struct> for $crate::property::Value<$Struct> {
            fn from(properties: $Struct) -> Self {
                Self::from_json(properties.0.into_json())
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$crate::property::Value<$Struct>> for $Struct {
            fn from(value: $crate::property::Value<$Struct>) -> Self {
                Self($crate::property::Properties::from_json($crate::property::Property::into_json(value)))
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$Struct> for $crate::property::Json {
            fn from(properties: $Struct) -> Self {
                properties.0.into_json()
            }
        }
    )*};
}

/// A resource: its CloudFormation type, what `Ref` gives, and how it is made of properties that were checked.
macro_rules! resource_struct {
    ($Struct:ident: $type_name:literal, Ref = $Ref:ty) => {
        impl serde::Serialize for $Struct {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl $crate::declaration::Resource for $Struct {
            const TYPE: &'static str = $type_name;
            type Ref = $Ref;
        }

        impl $crate::load::FromTemplate for $Struct {
            fn from_checked(properties: $crate::load::Checked) -> Self {
                Self(properties.into_properties())
            }
        }
    };
}

/// Declares a struct of properties that the AWS schema calls plain JSON: each property once, with its AWS name.
///
/// Gives the struct, `new` with the required properties, and a chained setter for each optional one.
macro_rules! properties {
    (
        $(#[$struct_meta:meta])*
        pub struct $Struct:ident {
            $($required:ident: $RequiredType:ty = $required_name:literal,)*
        } optional {
            $($(#[$meta:meta])* $optional:ident: $OptionalType:ty = $optional_name:literal,)*
        }
    ) => {
        $(#[$struct_meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Struct($crate::property::Properties);

        $crate::typed::property_struct!($Struct);

        impl $Struct {
            #[doc = concat!("`", stringify!($Struct), "` with its required properties.")]
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn new($($required: impl Into<$RequiredType>),*) -> Self {
                Self($crate::property::Properties::new()$(.with($required_name, $required.into()))*)
            }

            $($(#[$meta])*
            #[must_use]
            pub fn $optional(self, $optional: impl Into<$OptionalType>) -> Self {
                Self(self.0.with($optional_name, $optional.into()))
            })*
        }
    };
}

/// Declares the allowed values of a property as an enum that also takes values it does not know.
macro_rules! allowed_values {
    ($(#[$enum_meta:meta])* pub enum $Enum:ident { $($(#[$meta:meta])* $Variant:ident = $name:literal,)* }) => {
        $(#[$enum_meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[$meta])* $Variant,)*
            /// A value that is not listed here.
            Other(::std::string::String),
        }

        impl $Enum {
            /// The value as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Variant => $name,)*
                    Self::Other(value) => value,
                }
            }
        }

        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$Enum> for $crate::property::Value<$Enum> {
            fn from(value: $Enum) -> Self {
                Self::from_json(value.as_str().into())
            }
        }
    };
}

/// Declares the allowed numbers of a property as an enum that also takes numbers it does not know.
macro_rules! allowed_numbers {
    ($(#[$enum_meta:meta])* pub enum $Enum:ident { $($(#[$meta:meta])* $Variant:ident = $number:literal,)* }) => {
        $(#[$enum_meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Enum {
            $($(#[$meta])* $Variant,)*
            /// A number that is not listed here.
            Other(i64),
        }

        impl $Enum {
            /// The number as AWS writes it.
            #[must_use]
            pub const fn number(self) -> i64 {
                match self {
                    $(Self::$Variant => $number,)*
                    Self::Other(number) => number,
                }
            }
        }

        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.number())
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$Enum> for $crate::property::Value<$Enum> {
            fn from(value: $Enum) -> Self {
                Self::from_json(value.number().into())
            }
        }
    };
}

/// What converts into a property that takes references of several kinds.
macro_rules! references_to {
    ($Kind:ty: [$($Reference:ty),*]) => {$(
        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$crate::property::Value<$Reference>> for $crate::property::Value<$Kind> {
            fn from(value: $crate::property::Value<$Reference>) -> Self {
                value.retype()
            }
        }
    )*};
}

/// What a handle stands for in a property that takes references of several kinds: an attribute, or `Ref`.
macro_rules! handles_of {
    ($Kind:ty: $Resource:ty $(= $attribute:literal)?) => {
        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<&$crate::declaration::Handle<$Resource>> for $crate::property::Value<$Kind> {
            fn from(handle: &$crate::declaration::Handle<$Resource>) -> Self {
                $crate::typed::handles_of!(@handle $($attribute)?)
            }
        }
    };
    (@$handle:ident) => { $crate::property::Value::reference_to($handle.logical_id()) };
    (@$handle:ident $attribute:literal) => {
        $crate::property::Value::attribute_of($handle.logical_id(), $attribute)
    };
}

/// An attribute that is an ARN, though not that of the resource itself, as in `StreamArn`.
macro_rules! arn_attribute {
    ($Name:ident) => {
        #[diagnostic::do_not_recommend]
        impl<R> ::std::convert::From<$crate::property::Value<$crate::kind::Attribute<R, $Name>>>
            for $crate::property::Value<$crate::kind::AnyArn>
        {
            fn from(value: $crate::property::Value<$crate::kind::Attribute<R, $Name>>) -> Self {
                value.retype()
            }
        }
    };
}

#[allow(unused_imports)]
pub(crate) use {
    allowed_numbers, allowed_values, arn_attribute, handles_of, properties, property_struct, references_to,
    resource_struct,
};
