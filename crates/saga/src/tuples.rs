//! Lists of types as tuples of up to sixteen members, and in what words a longer one is refused.

/// Calls a macro with the members of each tuple from none to sixteen. A member is its type, two more names that an impl can
/// use for it, and its place.
macro_rules! all_the_tuples {
    ($each:ident) => {
        all_the_tuples! {
            @from $each []
            (A InA AtA 0) (B InB AtB 1) (C InC AtC 2) (D InD AtD 3) (E InE AtE 4) (F InF AtF 5) (G InG AtG 6)
            (H InH AtH 7) (I InI AtI 8) (J InJ AtJ 9) (K InK AtK 10) (L InL AtL 11) (M InM AtM 12) (N InN AtN 13)
            (O InO AtO 14) (P InP AtP 15)
        }
    };
    (@from $each:ident [$($had:tt)*]) => { $each! { $($had)* } };
    (@from $each:ident [$($had:tt)*] $next:tt $($rest:tt)*) => {
        $each! { $($had)* }
        all_the_tuples! { @from $each [$($had)* $next] $($rest)* }
    };
}
pub(crate) use all_the_tuples;

/// A tuple of up to sixteen types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of up to 16 types",
    label = "a tuple of up to 16 types is needed here",
    note = "write `(One,)` for one; who has more than 16 is two"
)]
pub trait List {}

/// The tuple has `T` in it, at place `P`.
pub trait Contains<T, P> {}

/// Place `N` of a tuple.
#[derive(Debug, Clone, Copy)]
pub enum Place<const N: usize> {}

macro_rules! list {
    (@one [$(($all:ident $_in:ident $_at:ident $_n:literal))*] ($one:ident $_i:ident $_a:ident $place:literal)) => {
        impl<$($all),*> Contains<$one, Place<$place>> for ($($all,)*) {}
    };
    (@each $all:tt $($one:tt)*) => {
        $(list! { @one $all $one })*
    };
    (@list $(($all:ident $_in:ident $_at:ident $_n:literal))*) => {
        impl<$($all),*> List for ($($all,)*) {}
    };
    ($($member:tt)*) => {
        list! { @list $($member)* }
        list! { @each [$($member)*] $($member)* }
    };
}

all_the_tuples! { list }
