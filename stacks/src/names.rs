//! Logical ids, output names and parameter names from the names of sagas, participants, entities and functions.

/// `order-intake` as `OrderIntake`: what logical ids begin with.
pub(crate) fn pascal(name: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capitalised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_and_capitalised() {
        assert_eq!(pascal("cancel-order"), "CancelOrder");
        assert_eq!(pascal("orders"), "Orders");
    }
}
