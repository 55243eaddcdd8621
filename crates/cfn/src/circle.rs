//! Circles: things of which each needs another first.

use std::collections::{BTreeMap, BTreeSet};

/// What each thing needs, by name.
pub(crate) type Needs = BTreeMap<String, BTreeSet<String>>;

/// More circles than these tell nobody anything new.
const MAX_CIRCLES: usize = 10;

/// The first circles, each from its first name to that name again; no two have a name in common.
///
/// It goes round in a loop instead of calling itself, so that a chain of any length is no danger to the stack.
pub(crate) fn find(needs: &Needs) -> Vec<Vec<String>> {
    let mut circles = Vec::new();
    let mut removed = BTreeSet::new();
    while circles.len() < MAX_CIRCLES {
        remove_free(needs, &mut removed);
        let Some(start) = needs.keys().find(|name| !removed.contains(name.as_str())) else { break };
        let mut path = vec![start.as_str()];
        let mut places = BTreeMap::from([(start.as_str(), 0)]);
        // What is left needs something that is left, so a step always leads on, and in the end to where it was.
        while let Some(next) = path.last().and_then(|last| next(needs, &removed, last)) {
            if let Some(first) = places.insert(next, path.len()) {
                path.drain(..first);
                break;
            }
            path.push(next);
        }
        removed.extend(path.iter().copied());
        circles.push(path.iter().chain(path.first()).map(|name| (*name).to_owned()).collect());
    }
    circles
}

fn next<'a>(needs: &'a Needs, removed: &BTreeSet<&str>, name: &str) -> Option<&'a str> {
    let mut needed = needs.get(name)?.iter().map(String::as_str);
    needed.find(|needed| needs.contains_key(*needed) && !removed.contains(needed))
}

/// Removes what needs nothing that is left, until everything left needs something that is left.
fn remove_free<'a>(needs: &'a Needs, removed: &mut BTreeSet<&'a str>) {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed_by: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut free = Vec::new();
    for (name, needed) in needs.iter().filter(|(name, _)| !removed.contains(name.as_str())) {
        let left = |needed: &&String| needs.contains_key(*needed) && !removed.contains(needed.as_str());
        let mut count = 0;
        for other in needed.iter().filter(left) {
            needed_by.entry(other).or_default().push(name);
            count += 1;
        }
        if count == 0 {
            free.push(name.as_str());
        }
        waiting.insert(name, count);
    }
    while let Some(name) = free.pop() {
        removed.insert(name);
        for dependent in needed_by.get(name).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    free.push(dependent);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(pairs: &[(&str, &[&str])]) -> Needs {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        pairs.iter().map(|(name, needed)| ((*name).to_owned(), owned(needed))).collect()
    }

    #[test]
    fn every_circle_is_found_once() {
        let found = find(&needs(&[
            ("A", &["B"]),
            ("B", &["C", "Gone"]),
            ("C", &["B"]),
            ("Free", &[]),
            ("Self", &["Self"]),
            ("X", &["Free"]),
        ]));
        assert_eq!(found, [vec!["B", "C", "B"], vec!["Self", "Self"]]);
    }

    #[test]
    fn what_is_in_order_has_none() {
        assert!(find(&needs(&[("A", &["B", "C"]), ("B", &["C"]), ("C", &[])])).is_empty());
    }

    #[test]
    fn a_long_chain_is_no_danger() {
        let name = |index: usize| format!("N{index}");
        let mut chain: Needs = (0..50_000).map(|i| (name(i), BTreeSet::from([name(i + 1)]))).collect();
        assert!(find(&chain).is_empty());
        chain.insert(name(50_000), BTreeSet::from([name(0)]));
        assert_eq!(find(&chain).first().map(Vec::len), Some(50_002));
    }
}
