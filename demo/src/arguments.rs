//! What can be chosen on the command line.

use clap::{Parser, builder::RangedU64ValueParser, value_parser};
use std::path::{Path, PathBuf};
use system::is_local;

/// The share of the demand that is stocked when the shipped stock is used.
const STOCK_SHARE_PERCENT: u8 = 70;

/// Publishes the 830 orders of Northwind to the order saga on a local AWS, watches them become distributed
/// transactions, and checks that no unit of stock and no cent is lost.
#[derive(Debug, Clone, Parser)]
#[command(name = "demo", max_term_width = 110)]
pub(crate) struct Arguments {
    /// The orders, one JSON object a line [default: the 830 of Northwind]
    #[arg(long, value_name = "FILE")]
    pub(crate) orders: Option<PathBuf>,
    /// The products, one JSON object a line [default: the 77 of Northwind]
    #[arg(long, value_name = "FILE")]
    pub(crate) stock: Option<PathBuf>,
    /// Only the first N orders
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(crate) limit: Option<usize>,

    /// Chooses who gets which fate; the same seed gives the same orders
    #[arg(long, default_value_t = 1996)]
    pub(crate) seed: u64,
    /// Percent of orders whose payment is declined
    #[arg(long, value_name = "PERCENT", default_value_t = 6, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) decline: u8,
    /// Percent of orders whose payment is approved slowly
    #[arg(long, value_name = "PERCENT", default_value_t = 4, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) slow: u8,
    /// Percent of orders that are charged without ever an answer
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) lossy: u8,
    /// Percent of orders that are charged and whose first answer is lost
    #[arg(long, value_name = "PERCENT", default_value_t = 3, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) lossy_once: u8,
    /// Percent of orders that the customer cancels shortly after
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) cancel: u8,
    /// Percent of customers who prefer SMS to e-mail
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = value_parser!(u8).range(0..=100))]
    pub(crate) sms: u8,
    /// Percent of the demand for each product that is in stock [default: 70; with --stock: what its file says]
    #[arg(long, value_name = "PERCENT", value_parser = value_parser!(u8).range(0..=100))]
    stock_share: Option<u8>,

    /// The most orders that are published and not finished
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) in_flight: usize,

    /// The port of the demo's own emulator [default: 4566, or any free one]
    #[arg(long, value_parser = value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// An emulator that runs on this machine [default: the one of `make up`, or one of the demo's own]
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL", hide_env_values = true)]
    endpoint: Option<String>,
    /// Starts the ids of orders and products [default: none, or made from the time on a running emulator]
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) run: Option<String>,

    /// Takes the functions as they were packaged last
    #[arg(long)]
    pub(crate) skip_package: bool,

    /// Packages the functions and ends: what the demo starts as a process of its own.
    #[arg(long, hide = true)]
    pub(crate) package: bool,
}

impl Arguments {
    /// The orders file.
    pub(crate) fn orders_file(&self) -> PathBuf {
        self.orders.clone().unwrap_or_else(|| shipped("orders.jsonl"))
    }

    /// The stock file.
    pub(crate) fn stock_file(&self) -> PathBuf {
        self.stock.clone().unwrap_or_else(|| shipped("stock.jsonl"))
    }

    /// The share of the demand that is stocked, or nothing when the file says how much there is.
    pub(crate) fn stock_share(&self) -> Option<u8> {
        self.stock_share.or(self.stock.is_none().then_some(STOCK_SHARE_PERCENT))
    }

    /// The emulator to attach to, if one was named. An empty variable names none.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref().filter(|endpoint| !endpoint.is_empty())
    }

    /// Checks what no single argument shows.
    ///
    /// # Errors
    /// Says what was given and what is allowed.
    pub(crate) fn check(&self) -> Result<(), ArgumentError> {
        let given = [self.decline, self.slow, self.lossy, self.lossy_once];
        let sum = given.iter().map(|percent| u32::from(*percent)).sum();
        if sum > 100 {
            return Err(ArgumentError::Shares { given, sum });
        }
        match self.endpoint() {
            Some(endpoint) if !is_local(endpoint) => {
                Err(ArgumentError::NotLocal { given: endpoint.to_owned() })
            }
            Some(_) if self.port.is_some() => Err(ArgumentError::PortOfAnother),
            _ => Ok(()),
        }
    }
}

/// Arguments that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    /// More fates than orders.
    #[error(
        "--decline {} + --slow {} + --lossy {} + --lossy-once {} are {sum} percent of the orders: at most 100 are allowed",
        given[0], given[1], given[2], given[3]
    )]
    Shares {
        /// The shares.
        given: [u8; 4],
        /// Their sum.
        sum: u32,
    },
    /// The demo never touches anything but this machine.
    #[error(
        "the endpoint is {given:?}: an emulator on this machine is needed, such as http://127.0.0.1:4566, because its \
         functions call the demo's payment gateway"
    )]
    NotLocal {
        /// The endpoint given.
        given: String,
    },
    /// A port for an emulator that is not started.
    #[error(
        "--port is for the demo's own emulator, and --endpoint or AWS_ENDPOINT_URL names another: give one of them"
    )]
    PortOfAnother,
}

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("northwind").join(file)
}

fn run_name(given: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=16).contains(&given.len()) && given.chars().all(allowed) {
        return Ok(given.to_owned());
    }
    Err("1 to 16 letters, digits and '-' are allowed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(arguments: &[&str]) -> Arguments {
        let mut parsed = Arguments::parse_from(["demo"].iter().chain(arguments));
        if !arguments.contains(&"--endpoint") {
            parsed.endpoint = None;
        }
        parsed
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn shares_of_more_than_all_orders_are_refused_with_their_sum() {
        let error = parsed(&["--decline", "60", "--lossy", "50"]).check().unwrap_err().to_string();
        assert!(error.ends_with("are 117 percent of the orders: at most 100 are allowed"), "{error}");
    }

    #[test]
    fn only_this_machine_is_touched() {
        let check = |endpoint| parsed(&["--endpoint", endpoint]).check();
        assert_eq!(check("http://127.0.0.1:4566"), Ok(()));
        assert_eq!(check("http://localhost:4566/"), Ok(()));
        assert_eq!(check(""), Ok(()));
        for given in ["https://sqs.eu-central-1.amazonaws.com", "http://127.0.0.1.example.com", "4566"] {
            assert_eq!(check(given), Err(ArgumentError::NotLocal { given: given.into() }));
        }
    }

    #[test]
    fn a_stock_file_is_taken_at_its_word_unless_a_share_is_asked_for() {
        assert_eq!(parsed(&[]).stock_share(), Some(70));
        assert_eq!(parsed(&["--stock", "s.jsonl"]).stock_share(), None);
        assert_eq!(parsed(&["--stock", "s.jsonl", "--stock-share", "50"]).stock_share(), Some(50));
    }

    #[test]
    fn a_run_name_keeps_ids_valid() {
        assert_eq!(run_name("r2"), Ok("r2".into()));
        assert!(run_name("r 2").is_err() && run_name("").is_err());
    }
}
