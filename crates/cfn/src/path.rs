//! Where in a template something is: written out only when there is something to say about it.

use std::fmt;

/// A path such as `Resources.Orders.Properties.Tags[0]`, as a chain of steps that live on the stack.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    before: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The start of a path.
    pub(crate) fn root(name: &'a str) -> Self {
        Self { before: None, step: Step::Name(name) }
    }

    /// A member of the object at this path.
    pub(crate) fn name(&'a self, name: &'a str) -> Self {
        Self { before: Some(self), step: Step::Name(name) }
    }

    /// An item of the list at this path.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { before: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        match (self.step, self.before) {
            (Step::Name(name), Some(_)) => write!(f, ".{name}"),
            (Step::Name(name), None) => f.write_str(name),
            (Step::Index(index), _) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_from_the_outside_in() {
        let root = At::root("Resources");
        let orders = root.name("Orders");
        let tags = orders.name("Tags");
        assert_eq!(tags.index(2).name("Key").to_string(), "Resources.Orders.Tags[2].Key");
    }
}
