//! The kinds of value a property can want. They exist at compile time only.

use std::marker::PhantomData;

/// The ARN of a resource of type `R`.
#[derive(Debug)]
pub struct Arn<R>(PhantomData<fn() -> R>);

/// The name of a resource of type `R`.
#[derive(Debug)]
pub struct Name<R>(PhantomData<fn() -> R>);

/// The URL of a resource of type `R`.
#[derive(Debug)]
pub struct Url<R>(PhantomData<fn() -> R>);

/// The id of a resource of type `R`, for resources that `Ref` identifies by something that is not a name.
#[derive(Debug)]
pub struct Id<R>(PhantomData<fn() -> R>);

/// Another attribute of a resource of type `R`; `A` is its name, as in [`crate::attribute`].
#[derive(Debug)]
pub struct Attribute<R, A>(PhantomData<fn() -> (R, A)>);

/// One of the kinds of the tuple `K`: what a property takes that can refer to several things.
#[derive(Debug)]
pub struct OneOf<K>(PhantomData<fn() -> K>);

/// An ARN of any type, or a pattern of ARNs with `*`.
#[derive(Debug)]
pub enum AnyArn {}

/// A number of milliseconds; made from [`std::time::Duration`].
#[derive(Debug)]
pub enum Milliseconds {}

/// A number of seconds; made from [`std::time::Duration`].
#[derive(Debug)]
pub enum Seconds {}

/// A number of minutes; made from [`std::time::Duration`].
#[derive(Debug)]
pub enum Minutes {}

/// A number of hours; made from [`std::time::Duration`].
#[derive(Debug)]
pub enum Hours {}

/// A number of days; made from [`std::time::Duration`].
#[derive(Debug)]
pub enum Days {}

/// A number of bytes; made from [`Bytes`].
#[derive(Debug)]
pub enum SizeInBytes {}

/// A number of kibibytes, which AWS mostly calls KB; made from [`Bytes`].
#[derive(Debug)]
pub enum Kibibytes {}

/// A number of mebibytes, which AWS mostly calls MB; made from [`Bytes`].
#[derive(Debug)]
pub enum Mebibytes {}

/// A number of gibibytes, which AWS mostly calls GB; made from [`Bytes`].
#[derive(Debug)]
pub enum Gibibytes {}

/// A size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// So many bytes.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// So many times 1,024 bytes.
    #[must_use]
    pub const fn kibibytes(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many times 1,048,576 bytes.
    #[must_use]
    pub const fn mebibytes(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    /// So many times 1,073,741,824 bytes.
    #[must_use]
    pub const fn gibibytes(count: u64) -> Self {
        Self(count.saturating_mul(1 << 30))
    }

    /// The number of bytes.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }
}

/// A kind that is text in the template, so that a string literal can be one.
pub trait Text {}

impl Text for String {}
impl<T: TypedText> Text for T {}

/// Text that means something; it can be used where plain text is wanted, but not the other way round.
pub trait TypedText {}

impl<R> TypedText for Arn<R> {}
impl<R> TypedText for Name<R> {}
impl<R> TypedText for Url<R> {}
impl<R> TypedText for Id<R> {}
impl<R, A> TypedText for Attribute<R, A> {}
impl<K> TypedText for OneOf<K> {}
impl TypedText for AnyArn {}
