use super::*;
use proptest::prelude::*;
use sagas::{
    customer::{Channel, Customer},
    events::LinePlaced,
    order::{Line, MAX_LINES, MAX_TOTAL_MINOR},
};

fn line(sku: &str, quantity: i64, unit_price_minor: i64, discount_percent: i64) -> LinePlaced {
    LinePlaced { sku: sku.into(), quantity, unit_price_minor, discount_percent, currency: None }
}

fn customer() -> Customer {
    Customer { id: "ALFKI".into(), email: "maria@example.com".into(), phone: None, prefers: Channel::Email }
}

fn placed(lines: Vec<LinePlaced>) -> OrderPlaced {
    OrderPlaced {
        order_id: "order-10248".into(),
        customer: customer(),
        currency: "EUR".into(),
        lines,
        payment_token: "tok_approve".into(),
    }
}

fn one_line() -> OrderPlaced {
    placed(vec![line("nw-1", 1, 100, 0)])
}

fn fields(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.field.as_str()).collect()
}

/// The fields of the problems that a change to a valid order brings.
fn broken(change: impl FnOnce(&mut OrderPlaced)) -> Vec<String> {
    let mut order = one_line();
    change(&mut order);
    let problems = place_order(&order).expect_err("a problem");
    problems.into_iter().map(|problem| problem.field).collect()
}

fn total(lines: Vec<LinePlaced>) -> i64 {
    place_order(&placed(lines)).unwrap().total.minor
}

#[test]
fn a_valid_order_becomes_the_input_of_its_saga() {
    let order = place_order(&placed(vec![line("nw-1", 12, 1_400, 0), line("nw-2", 10, 980, 5)])).unwrap();
    assert_eq!(order.order_id, "order-10248");
    assert_eq!(order.customer, customer());
    assert_eq!(order.payment_token, "tok_approve");
    assert_eq!(order.total, Money { minor: 16_800 + 9_310, currency: "EUR".into() });
    let lines = [Line { sku: "nw-1".into(), quantity: 12 }, Line { sku: "nw-2".into(), quantity: 10 }];
    assert_eq!(order.lines, lines);
}

#[test]
fn equal_skus_are_merged_and_keep_their_own_prices() {
    let lines = vec![line("b", 2, 1_000, 0), line("a", 1, 500, 0), line("b", 3, 800, 50)];
    let order = place_order(&placed(lines)).unwrap();
    let merged = [Line { sku: "b".into(), quantity: 5 }, Line { sku: "a".into(), quantity: 1 }];
    assert_eq!(order.lines, merged);
    assert_eq!(order.total.minor, 2_000 + 500 + 1_200);
}

#[test]
fn each_line_is_rounded_half_up_on_its_own() {
    assert_eq!(total(vec![line("a", 1, 1, 50)]), 1);
    assert_eq!(total(vec![line("a", 1, 1, 51)]), 0);
    assert_eq!(total(vec![line("a", 1, 333, 15)]), 283);
    assert_eq!(total(vec![line("a", 1, 1, 50), line("b", 1, 1, 50)]), 2);
    assert_eq!(total(vec![line("a", 7, 999, 100)]), 0);
    assert_eq!(total(vec![line("a", 1, 0, 0)]), 0);
}

#[test]
fn totals_up_to_the_limit_fit_and_above_it_are_refused() {
    const MOST: i64 = MAX_TOTAL_MINOR;
    const { assert!(MOST < 1 << f64::MANTISSA_DIGITS, "a state machine carries it without losing a digit") };
    assert_eq!(total(vec![line("a", 1, MOST, 0)]), MOST);
    assert_eq!(total(vec![line("a", 2, MOST, 50)]), MOST);
    for lines in [
        vec![line("a", 1, MOST + 1, 0)],
        vec![line("a", 1, MOST, 0), line("b", 1, 1, 0)],
        vec![line("a", 1, i64::MAX, 0)],
        vec![line("a", 2, i64::MAX, 0)],
        vec![line("a", 1, i64::MAX, 0), line("b", 1, i64::MAX, 0)],
    ] {
        let problems = place_order(&placed(lines)).unwrap_err();
        let told = "the total is too large: at most 1000000000000 minor units are allowed";
        assert_eq!(problems, [Problem::new("lines", told)]);
    }
    let beyond_128_bits = vec![line("a", i64::MAX, i64::MAX, 0)];
    assert_eq!(broken(|order| order.lines = beyond_128_bits), ["lines[0].quantity"]);
}

#[test]
fn one_to_fifty_lines_after_merging() {
    let skus = |count: usize| (0..count).map(|n| line(&format!("nw-{n}"), 1, 1, 0)).collect::<Vec<_>>();
    assert_eq!(broken(|order| order.lines.clear()), ["lines"]);
    assert_eq!(broken(|order| order.lines = skus(MAX_LINES + 1)), ["lines"]);
    let twice = [skus(MAX_LINES), skus(MAX_LINES)].concat();
    assert_eq!(place_order(&placed(twice)).unwrap().lines.len(), MAX_LINES);
}

#[test]
fn quantities_are_one_or_more_and_fit_after_merging() {
    let most = i64::from(u32::MAX);
    for quantity in [i64::MIN, -1, 0, most + 1] {
        assert_eq!(broken(|order| order.lines[0].quantity = quantity), ["lines[0].quantity"], "{quantity}");
    }
    assert_eq!(place_order(&placed(vec![line("a", most, 1, 0)])).unwrap().lines[0].quantity, u32::MAX);
    let merged = vec![line("b", 1, 1, 0), line("a", most, 1, 0), line("a", 1, 1, 0)];
    assert_eq!(broken(|order| order.lines = merged), ["lines[1].quantity"]);
}

#[test]
fn prices_and_discounts_have_bounds() {
    assert_eq!(broken(|order| order.lines[0].unit_price_minor = -1), ["lines[0].unit_price_minor"]);
    assert_eq!(broken(|order| order.lines[0].discount_percent = -1), ["lines[0].discount_percent"]);
    assert_eq!(broken(|order| order.lines[0].discount_percent = 101), ["lines[0].discount_percent"]);
}

#[test]
fn one_iso_currency() {
    for code in ["", "eur", "EU", "EURO", "QQQ", "€"] {
        assert_eq!(broken(|order| order.currency = code.into()), ["currency"], "{code}");
    }
    assert_eq!(broken(|order| order.lines[0].currency = Some("USD".into())), ["lines[0].currency"]);
    let mut same = one_line();
    same.lines[0].currency = Some("EUR".into());
    assert!(place_order(&same).is_ok());
}

#[test]
fn texts_have_lengths() {
    for id in ["", "with space", "o/1", "ö", &"a".repeat(81)] {
        assert_eq!(broken(|order| order.order_id = id.into()), ["order_id"], "{id}");
    }
    for text in ["", "with\nline", "\u{fffe}", "a\u{ffff}", &"a".repeat(129)] {
        assert_eq!(broken(|order| order.payment_token = text.into()), ["payment_token"], "{text}");
        assert_eq!(broken(|order| order.lines[0].sku = text.into()), ["lines[0].sku"], "{text}");
        assert_eq!(broken(|order| order.customer.id = text.into()), ["customer.id"], "{text}");
    }
    let mut longest = one_line();
    longest.order_id = "a".repeat(80);
    longest.lines[0].sku = "é".repeat(64);
    longest.customer.id = "a".repeat(64);
    longest.payment_token = "a".repeat(128);
    assert!(place_order(&longest).is_ok());
}

#[test]
fn a_customer_can_be_reached() {
    assert_eq!(broken(|order| order.customer.email = "maria".into()), ["customer.email"]);
    assert_eq!(broken(|order| order.customer.phone = Some("030 1234".into())), ["customer.phone"]);
    assert_eq!(broken(|order| order.customer.prefers = Channel::Sms), ["customer.phone"]);
    let mut sms = one_line();
    sms.customer = Customer { phone: Some("+4930123456".into()), prefers: Channel::Sms, ..customer() };
    assert!(place_order(&sms).is_ok());
}

#[test]
fn every_reason_is_told() {
    let order = OrderPlaced {
        order_id: "no good".into(),
        customer: Customer { id: String::new(), email: "maria".into(), phone: None, prefers: Channel::Sms },
        currency: "euro".into(),
        lines: vec![line("", 0, -1, 101), line("b", 1, 1, 0)],
        payment_token: String::new(),
    };
    let problems = place_order(&order).unwrap_err();
    assert_eq!(
        fields(&problems),
        [
            "order_id",
            "customer.id",
            "customer.email",
            "customer.phone",
            "payment_token",
            "currency",
            "lines[0].sku",
            "lines[0].quantity",
            "lines[0].unit_price_minor",
            "lines[0].discount_percent",
        ]
    );
    assert_eq!(problems[7].problem, "it is 0: 1 to 4294967295 are allowed");
}

#[test]
fn an_order_larger_than_the_saga_carries_is_refused() {
    let wide = |n: usize| line(&format!("{}{n:02}", "\u{1f600}".repeat(62)), 1, 1, 0);
    assert_eq!(broken(|order| order.lines = (0..MAX_LINES).map(wide).collect()), ["event"]);
}

#[test]
fn a_cancel_is_checked_too() {
    let wish = CancelRequested { order_id: "o-1".into(), customer: customer() };
    assert_eq!(cancel_order(&wish).unwrap().order_id, "o-1");
    let bad =
        CancelRequested { order_id: "o 1".into(), customer: Customer { email: "m".into(), ..customer() } };
    assert_eq!(fields(&cancel_order(&bad).unwrap_err()), ["order_id", "customer.email"]);
}

type Text = fn(&mut OrderPlaced) -> &mut String;

/// Every text of an event, by its place.
const TEXTS: [(&str, Text); 8] = [
    ("order_id", |order| &mut order.order_id),
    ("customer.id", |order| &mut order.customer.id),
    ("customer.email", |order| &mut order.customer.email),
    ("customer.phone", |order| order.customer.phone.get_or_insert_with(|| "+4930123456".into())),
    ("currency", |order| &mut order.currency),
    ("payment_token", |order| &mut order.payment_token),
    ("lines[0].sku", |order| &mut order.lines[0].sku),
    ("lines[0].currency", |order| order.lines[0].currency.get_or_insert_with(|| "EUR".into())),
];

/// What begins a saga goes on into its messages, which no queue takes with such a character in them.
#[test]
fn no_text_with_a_character_that_no_queue_takes_goes_into_a_saga() {
    let refused: Vec<char> = ('\0'..=char::MAX).filter(|c| !saga_lambda::is_sendable(*c)).collect();
    assert_eq!(refused.len(), 29 + 2, "what XML does not have: {refused:?}");
    for character in refused {
        for (field, text) in TEXTS {
            let fields = broken(|order| text(order).insert(1, character));
            assert!(fields.iter().any(|told| told == field), "{character:?} in {field}: {fields:?}");
        }
        for (field, text) in &TEXTS[..4] {
            let mut order = one_line();
            text(&mut order).insert(1, character);
            let wish = CancelRequested { order_id: order.order_id, customer: order.customer };
            assert_eq!(fields(&cancel_order(&wish).unwrap_err()), [*field], "{character:?}");
        }
    }
}

fn any_line() -> impl Strategy<Value = LinePlaced> {
    ("[a-c]{0,2}", any::<i64>(), any::<i64>(), any::<i64>(), -5_i64..1_000, 0_i64..100_000, -3_i64..105)
        .prop_map(|(sku, wild_quantity, wild_price, wild, quantity, price, discount)| match wild % 4 {
            0 => line(&sku, wild_quantity, wild_price, discount),
            _ => line(&sku, quantity, price, discount),
        })
}

proptest! {
    /// Whatever texts an event has: what is accepted can be sent.
    #[test]
    fn an_accepted_order_can_be_sent(characters in prop::collection::vec(any::<char>(), TEXTS.len())) {
        for ((_, text), character) in TEXTS.iter().zip(characters) {
            let mut order = one_line();
            text(&mut order).insert(1, character);
            if let Ok(accepted) = place_order(&order) {
                let input = serde_json::to_string(&accepted).unwrap();
                prop_assert!(input.chars().all(saga_lambda::is_sendable), "{input:?}");
            }
        }
    }

    /// Whatever is placed, an accepted order has the units and the money that were placed.
    #[test]
    fn an_accepted_order_has_what_was_placed(lines in prop::collection::vec(any_line(), 0..6)) {
        let order = placed(lines.clone());
        if let Ok(accepted) = place_order(&order) {
            let units: i64 = lines.iter().map(|line| line.quantity).sum();
            prop_assert_eq!(accepted.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>(), units);
            let exact: f64 = lines.iter().map(|line| {
                line.quantity as f64 * line.unit_price_minor as f64 * (100 - line.discount_percent) as f64 / 100.0
            }).sum();
            prop_assert!((accepted.total.minor as f64 - exact).abs() <= lines.len() as f64 * 0.5 + exact * 1e-9);
            let mut skus: Vec<_> = accepted.lines.iter().map(|line| &line.sku).collect();
            skus.sort_unstable();
            skus.dedup();
            prop_assert_eq!(skus.len(), accepted.lines.len());
        }
    }
}
