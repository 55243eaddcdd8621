//! The ledger with a journal: what was decided outlives the process, however it ends.
//!
//! The journal is a file of one line of JSON for each change. A change is written before it is made and answered, so a
//! killed gateway has promised nothing that the next one does not know. The file is left to the operating system's
//! cache: it outlives the process, not the machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ledger::{Decision, Ledger, LedgerError};
use crate::refusal::Refusal;
use crate::wire::{Charge, ChargePage, ChargeQuery, ChargeRequest, DeclineReason, KeyCalls, Summary};

/// A ledger, and the file it is kept in if it is to outlive the process.
#[derive(Debug, Default)]
pub(crate) struct Book {
    ledger: Ledger,
    journal: Option<Journal>,
}

/// One change of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
enum Change {
    /// A call to charge came in.
    Called { key: String },
    /// Money was taken, at this time in milliseconds since 1970.
    Charged { key: String, request: ChargeRequest, at_ms: u64 },
    /// Money was refused.
    Declined { key: String, request: ChargeRequest },
    /// Money was asked back.
    Reversed { key: String },
    /// Everything was forgotten.
    Reset,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be opened, read or cut.
    #[error("cannot use {} as the journal", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not a change of the ledger.
    #[error("line {line} of {} is no change of a ledger: move the file away to begin anew", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Book {
    /// The book that a journal tells of; an absent file is an empty one. A last line without its end was never
    /// answered, and is cut off.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).and_then(|()| file.rewind()).map_err(failed)?;
        let mut book = Self::default();
        for (n, line) in text[..whole].lines().enumerate() {
            let change = serde_json::from_str(line).map_err(|source| JournalError::Line {
                path: path.to_owned(),
                line: n + 1,
                source,
            })?;
            book.repeat(change);
        }
        book.journal = Some(Journal { file, whole: true });
        Ok(book)
    }

    /// Counts a call to charge and answers how many there have been with this key.
    pub(crate) fn count_charge_call(&mut self, key: &str) -> Result<u64, Refusal> {
        self.note(|| Change::Called { key: key.to_owned() })?;
        Ok(self.ledger.count_charge_call(key))
    }

    /// What was decided under a key, if anything; the same key with another body is refused.
    pub(crate) fn recall(
        &mut self,
        key: &str,
        request: &ChargeRequest,
    ) -> Result<Option<Decision>, LedgerError> {
        self.ledger.recall(key, request)
    }

    /// Takes the money of a key on which nothing is decided yet. `now_ms`: the time, in milliseconds since 1970.
    pub(crate) fn charge(
        &mut self,
        key: &str,
        request: ChargeRequest,
        now_ms: u64,
    ) -> Result<Charge, Refusal> {
        // A charge that the ledger refuses is refused again when the journal is read.
        self.note(|| Change::Charged { key: key.to_owned(), request: request.clone(), at_ms: now_ms })?;
        Ok(self.ledger.charge(key, request, now_ms)?)
    }

    /// Refuses the money of a key on which nothing is decided yet.
    pub(crate) fn decline(&mut self, key: &str, request: ChargeRequest) -> Result<DeclineReason, Refusal> {
        self.note(|| Change::Declined { key: key.to_owned(), request: request.clone() })?;
        Ok(self.ledger.decline(key, request))
    }

    /// Gives back the money of a key, once; `None` when there is no charge, and there will be none.
    pub(crate) fn reverse(&mut self, key: &str) -> Result<Option<Charge>, Refusal> {
        self.note(|| Change::Reversed { key: key.to_owned() })?;
        Ok(self.ledger.reverse(key))
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) -> Result<(), Refusal> {
        self.note(|| Change::Reset)?;
        self.ledger = Ledger::default();
        Ok(())
    }

    /// The charge of a key.
    pub(crate) fn find(&self, key: &str) -> Option<Charge> {
        self.ledger.find(key)
    }

    /// The charges that a query asks for, at most `limit`.
    pub(crate) fn page(&self, query: &ChargeQuery, limit: usize) -> ChargePage {
        self.ledger.page(query, limit)
    }

    /// How often a key was used.
    pub(crate) fn calls(&self, key: &str) -> KeyCalls {
        self.ledger.calls(key)
    }

    /// Totals by currency.
    pub(crate) fn summary(&self) -> Summary {
        self.ledger.summary()
    }

    fn note(&mut self, change: impl FnOnce() -> Change) -> Result<(), Refusal> {
        match &mut self.journal {
            Some(journal) => journal.append(&change()).map_err(|_| Refusal::Internal),
            None => Ok(()),
        }
    }

    fn repeat(&mut self, change: Change) {
        match change {
            Change::Called { key } => {
                self.ledger.count_charge_call(&key);
            }
            Change::Charged { key, request, at_ms } => {
                // A refusal was the answer then, too.
                let _ = self.ledger.charge(&key, request, at_ms);
            }
            Change::Declined { key, request } => {
                self.ledger.decline(&key, request);
            }
            Change::Reversed { key } => {
                self.ledger.reverse(&key);
            }
            Change::Reset => self.ledger = Ledger::default(),
        }
    }
}

#[derive(Debug)]
struct Journal {
    file: File,
    /// Whether every line so far is whole. After a failed write nothing more is promised: a line behind a torn one
    /// could not be read again.
    whole: bool,
}

impl Journal {
    fn append(&mut self, change: &Change) -> io::Result<()> {
        if !self.whole {
            return Err(io::Error::other("the journal is torn"));
        }
        let mut line = serde_json::to_vec(change)?;
        line.push(b'\n');
        self.whole = false;
        self.file.write_all(&line)?;
        self.whole = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ChargeStatus;
    use std::fs;

    fn request(token: &str) -> ChargeRequest {
        ChargeRequest {
            amount_minor: 5,
            currency: "EUR".to_owned(),
            payment_token: token.to_owned(),
            reference: "r".to_owned(),
        }
    }

    fn used(path: &Path) {
        let mut book = Book::open(path).unwrap();
        for key in ["a", "b", "c"] {
            book.count_charge_call(key).unwrap();
        }
        book.charge("a", request("tok_approve"), 7).unwrap();
        book.charge("b", request("tok_approve"), 7).unwrap();
        book.decline("c", request("tok_decline")).unwrap();
        book.reverse("b").unwrap();
    }

    #[test]
    fn what_was_decided_is_known_to_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        used(&path);
        let mut next = Book::open(&path).unwrap();
        let status = |key| next.find(key).map(|charge| charge.status);
        assert_eq!(status("a"), Some(ChargeStatus::Charged));
        assert_eq!(status("b"), Some(ChargeStatus::Refunded));
        let declined = next.recall("c", &request("tok_decline")).unwrap();
        assert_eq!(declined, Some(Decision::Declined(DeclineReason::InsufficientFunds)));
        assert_eq!(next.count_charge_call("a").unwrap(), 2);
        assert_eq!(next.charge("d", request("tok_approve"), 7).unwrap().sequence, 3);
        next.reset().unwrap();
        assert_eq!(Book::open(&path).unwrap().summary(), Summary::default());
    }

    #[test]
    fn a_torn_last_line_was_never_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        used(&path);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], br#"{"change":"rever"#].concat()).unwrap();
        let mut book = Book::open(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        book.reverse("a").unwrap();
        assert_eq!(
            Book::open(&path).unwrap().find("a").map(|charge| charge.status),
            Some(ChargeStatus::Refunded)
        );
    }

    #[test]
    fn a_line_that_is_no_change_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, "{\"change\":\"reset\"}\n{\"change\":\"what\"}\n").unwrap();
        let error = Book::open(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of ") && error.ends_with("to begin anew"), "{error}");
    }
}
