//! What the compiler refuses, and in which words: one case for each promise.
//!
//! The words are those of the toolchain pinned in CI; `TRYBUILD=overwrite cargo test -p saga --test compile_fail`
//! writes them anew.

#[test]
fn misuse_is_refused_in_readable_words() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
