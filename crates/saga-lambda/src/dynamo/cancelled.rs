//! What a cancelled transaction means.

use super::{fence_item, row_item};
use aws_sdk_dynamodb::types::CancellationReason;
use saga::{Refused, Unavailable, Write};

/// A cancelled transaction.
#[derive(Debug, PartialEq)]
pub(super) enum Cancelled {
    /// Another try would be cancelled too.
    Refused(Refused),
    /// Another transaction or too much traffic was in the way.
    Conflict(String),
}

const CHECK_FAILED: &str = "ConditionalCheckFailed";

/// Reads the reasons: the first is the fence's, then each write has one.
pub(super) fn read(reasons: &[CancellationReason], writes: &[Write]) -> Cancelled {
    let Some((fence, of_writes)) = reasons.split_first() else {
        return Cancelled::Conflict("cancelled without reasons".into());
    };
    match code(fence) {
        CHECK_FAILED => return Cancelled::Refused(fence_item::refused(fence.item())),
        "None" => {
            if let Some(refused) =
                of_writes.iter().zip(writes).find_map(|(reason, write)| by_guard(reason, write))
            {
                return Cancelled::Refused(refused);
            }
        }
        // The fence was not looked at, so nothing is known that a guard could be told before.
        _ => {}
    }
    let codes: Vec<_> = reasons.iter().map(code).filter(|code| *code != "None").collect();
    let summary = format!("cancelled: {}", codes.join(", "));
    match codes.iter().find(|code| !is_transient(code)) {
        Some(_) => Cancelled::Refused(Refused::Unavailable(Unavailable(summary))),
        None => Cancelled::Conflict(summary),
    }
}

fn code(reason: &CancellationReason) -> &str {
    reason.code().unwrap_or("None")
}

fn by_guard(reason: &CancellationReason, write: &Write) -> Option<Refused> {
    if code(reason) != CHECK_FAILED {
        return None;
    }
    let old = reason.item().filter(|item| !item.is_empty());
    Refused::by_guard(write, old.map(|item| row_item::parse(&write.key, item)).as_ref())
}

/// A guard that failed and now holds has met a change in between: that is a conflict too.
fn is_transient(code: &str) -> bool {
    matches!(code, CHECK_FAILED | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;
    use saga::{
        Addition, Change, Condition, FieldChange, Guard, Refusal, RowKey,
        fence::{Fence, Recorded},
    };

    fn take(sku: &str, n: i64) -> Write {
        let refusal = Some(Refusal { error: "OutOfStock".into(), cause: format!("{{\"sku\":\"{sku}\"}}") });
        let guards = vec![
            Guard { condition: Condition::AtLeast("available".into(), n), refusal },
            Guard { condition: Condition::Exists, refusal: None },
        ];
        let change = Change::Update(
            [("available".into(), FieldChange::Add(Addition { n: -n, least: 0, most: 9 }))].into(),
        );
        Write {
            key: RowKey { entity: "stock".into(), attribute: "sku".into(), value: sku.into() },
            change,
            guards,
        }
    }

    fn reason(code: &str, item: &[(&str, &str)]) -> CancellationReason {
        let item = item.iter().map(|(name, value)| {
            let number = value.parse::<i64>().is_ok();
            let value = (*value).to_owned();
            let value = if number { AttributeValue::N(value) } else { AttributeValue::S(value) };
            ((*name).to_owned(), value)
        });
        CancellationReason::builder().code(code).set_item(Some(item.collect())).build()
    }

    fn none() -> CancellationReason {
        reason("None", &[])
    }

    fn fence(state: &str) -> CancellationReason {
        reason(CHECK_FAILED, &[("saga_id", "o-1"), ("step", "reserve-stock"), ("state", state)])
    }

    fn few(sku: &str, n: &str) -> CancellationReason {
        reason(CHECK_FAILED, &[("sku", sku), ("available", n)])
    }

    fn refused(reasons: &[CancellationReason]) -> Refused {
        match read(reasons, &[take("a", 3), take("b", 5)]) {
            Cancelled::Refused(refused) => refused,
            conflict => panic!("{conflict:?}"),
        }
    }

    fn rejection(refused: Refused) -> String {
        match refused {
            Refused::Guard { refusal: Some(refusal), .. } => refusal.cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_fence_is_told_before_any_guard() {
        let undone = refused(&[fence("undone"), few("a", "1"), none()]);
        assert_eq!(undone, Refused::Fence(Some(Recorded { run: None, turn: 0, fence: Fence::Undone })));
        let absent = refused(&[reason(CHECK_FAILED, &[]), none(), none()]);
        assert_eq!(absent, Refused::Fence(None));
        assert!(matches!(refused(&[fence("?"), none(), none()]), Refused::Unavailable(_)));
    }

    #[test]
    fn the_first_failed_guard_stands_for_its_rejection() {
        assert_eq!(rejection(refused(&[none(), few("a", "2"), few("b", "0")])), r#"{"sku":"a"}"#);
        assert_eq!(rejection(refused(&[none(), none(), few("b", "4")])), r#"{"sku":"b"}"#);
        assert_eq!(rejection(refused(&[none(), none(), reason(CHECK_FAILED, &[])])), r#"{"sku":"b"}"#);
    }

    #[test]
    fn an_addition_that_does_not_fit_is_a_guard_without_a_rejection() {
        let mut writes = [take("a", 3), take("b", 5)];
        writes[0].guards.clear();
        let read = read(&[none(), few("a", "2"), none()], &writes);
        let what =
            "stock/a: adding to available needs a whole number, and a sum that its type can hold".into();
        assert_eq!(read, Cancelled::Refused(Refused::Guard { what, refusal: None }));
    }

    #[test]
    fn a_conflict_is_no_rejection() {
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            let conflict = reason(code, &[]);
            let writes = [take("a", 3), take("b", 5)];
            // With the fence in conflict, a failed guard says nothing yet.
            for reasons in [[none(), none(), conflict.clone()], [conflict.clone(), few("a", "0"), none()]] {
                assert!(matches!(read(&reasons, &writes), Cancelled::Conflict(_)), "{reasons:?}");
            }
        }
        let changed_since = [none(), few("a", "9"), none()];
        assert!(matches!(read(&changed_since, &[take("a", 3), take("b", 5)]), Cancelled::Conflict(_)));
    }

    #[test]
    fn any_other_reason_is_not_worth_another_try() {
        let refused = refused(&[none(), reason("ValidationError", &[]), none()]);
        assert_eq!(refused, Refused::Unavailable(Unavailable("cancelled: ValidationError".into())));
    }
}
