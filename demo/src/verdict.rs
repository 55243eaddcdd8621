//! Whether anything was lost.

use crate::evidence::{Ending, Evidence};

/// How many ids a sentence shows.
const IDS_SHOWN: usize = 3;

/// Everything that is not as it must be, one sentence each. Empty: nothing was lost.
pub(crate) fn problems(evidence: &Evidence) -> Vec<String> {
    let mut problems = Vec::new();
    let ids = |is: fn(&Ending) -> bool| -> Vec<&str> {
        evidence.orders.iter().filter(|order| is(&order.ending)).map(|order| order.id.as_str()).collect()
    };
    let mut tell = |what: &str, ids: &[&str]| {
        if !ids.is_empty() {
            problems.push(format!("{} {what}: {}", ids.len(), shown(ids)));
        }
    };
    tell("orders are lost, no execution and no refusal", &ids(|ending| *ending == Ending::Missing));
    tell("executions have not ended", &ids(|ending| *ending == Ending::Unfinished));
    tell("executions failed", &ids(|ending| matches!(ending, Ending::Failed(_))));
    let cancels: Vec<&str> = evidence.cancels.open.iter().map(String::as_str).collect();
    tell("cancels have not ended well", &cancels);
    if let Some(waited) = evidence.gave_up_after {
        problems.push(format!("nothing happened for {} s, so waiting was given up", waited.as_secs()));
    }
    if evidence.parked > 0 {
        problems.push(format!("{} sagas are parked and wait for an operator", evidence.parked));
    }
    for (function, found) in evidence.dead_letters.iter().filter(|(_, found)| found.unexpected > 0) {
        problems.push(format!(
            "the dead-letter queue of {function} has {} unexpected messages",
            found.unexpected
        ));
    }
    let told = evidence.told.mails + evidence.told.sms;
    if told < evidence.notices() {
        problems.push(format!("{told} messages to customers, but {} are due", evidence.notices()));
    }
    let committed = ids(|ending| *ending == Ending::Confirmed).len();
    let confirmed = evidence.conservation.orders.get("CONFIRMED").copied().unwrap_or_default();
    if committed != confirmed {
        problems.push(format!("{committed} sagas committed, but {confirmed} orders are CONFIRMED"));
    }
    problems.extend(evidence.conservation.violations.iter().cloned());
    problems
}

fn shown(ids: &[&str]) -> String {
    let more = if ids.len() > IDS_SHOWN { ", …" } else { "" };
    format!("{}{more}", ids[..ids.len().min(IDS_SHOWN)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{DeadLetters, OrderEvidence},
        plan::Payment,
    };
    use std::time::SystemTime;

    fn evidence(endings: &[Ending]) -> Evidence {
        let order = |(n, ending): (usize, &Ending)| OrderEvidence {
            id: format!("o-{n}"),
            payment: Payment::Approve,
            published: SystemTime::UNIX_EPOCH,
            execution: None,
            ending: ending.clone(),
        };
        let mut evidence =
            Evidence { orders: endings.iter().enumerate().map(order).collect(), ..Evidence::default() };
        let confirmed = endings.iter().filter(|ending| **ending == Ending::Confirmed).count();
        evidence.conservation.orders.insert("CONFIRMED", confirmed);
        evidence.told.mails = evidence.notices();
        evidence
    }

    #[test]
    fn confirmed_rejected_and_refused_orders_are_all_well() {
        let mut evidence =
            evidence(&[Ending::Confirmed, Ending::Rejected("OutOfStock".into()), Ending::Refused]);
        evidence.dead_letters.insert("Payment".into(), DeadLetters { lost_answers: 2, unexpected: 0 });
        assert_eq!(problems(&evidence), Vec::<String>::new());
    }

    #[test]
    fn whatever_is_lost_is_named() {
        let failed = Ending::Failed("States.Runtime".into());
        let endings =
            [Ending::Missing, Ending::Missing, Ending::Missing, Ending::Missing, Ending::Unfinished, failed];
        let mut evidence = evidence(&endings);
        evidence.dead_letters.insert("Orders".into(), DeadLetters { lost_answers: 0, unexpected: 1 });
        evidence.parked = 1;
        evidence.cancels.too_late = 1;
        evidence.conservation.orders.insert("CONFIRMED", 2);
        evidence.conservation.violations.push("tea: 3 reserved, but confirmed orders have 0".into());
        let expected = [
            "4 orders are lost, no execution and no refusal: o-0, o-1, o-2, …",
            "1 executions have not ended: o-4",
            "1 executions failed: o-5",
            "1 sagas are parked and wait for an operator",
            "the dead-letter queue of Orders has 1 unexpected messages",
            "0 messages to customers, but 1 are due",
            "0 sagas committed, but 2 orders are CONFIRMED",
            "tea: 3 reserved, but confirmed orders have 0",
        ];
        assert_eq!(problems(&evidence), expected);
    }
}
