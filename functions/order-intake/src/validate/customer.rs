//! Whether a customer can be known and reached.

use saga_lambda::intake::Problems;
use sagas::customer::{Channel, Customer};

pub(super) fn check(problems: &mut Problems, customer: &Customer) {
    problems.check_text("customer.id", &customer.id, 64);
    if !is_plausible_email(&customer.email) {
        problems.add(
            "customer.email",
            "it is no e-mail address of at most 254 characters, like `name@example.com`",
        );
    }
    match &customer.phone {
        Some(phone) if !is_e164(phone) => {
            problems
                .add("customer.phone", "it is not in E.164 form: `+` and 7 to 15 digits, like `+4930123456`");
        }
        None if customer.prefers == Channel::Sms => {
            problems.add("customer.phone", "it is missing: a customer who prefers SMS needs one");
        }
        Some(_) | None => {}
    }
}

/// Something before one `@`, and a domain with a dot after it. More only the mail server knows.
fn is_plausible_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let labels_fit = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    let characters_fit = email.chars().all(|c| !c.is_whitespace() && Problems::is_printable(c));
    email.chars().count() <= 254 && !local.is_empty() && !domain.contains('@') && labels_fit && characters_fit
}

fn is_e164(phone: &str) -> bool {
    let Some(digits) = phone.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses() {
        for fits in [
            "a@b.co",
            "nancy.davolio+orders@example.co.uk",
            "ä@exämple.de",
            &format!("{}@example.com", "a".repeat(242)),
        ] {
            assert!(is_plausible_email(fits), "{fits}");
        }
        let long = format!("{}@example.com", "a".repeat(243));
        for not in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@.co",
            "a@b.",
            "a@b..co",
            "a@b@c.co",
            "a b@c.co",
            "a@b.co\n",
            "a\u{ffff}@b.co",
            "a@b\u{fffe}.co",
            &long,
        ] {
            assert!(!is_plausible_email(not), "{not}");
        }
    }

    #[test]
    fn phone_numbers() {
        for fits in ["+4930123456", "+1234567", "+123456789012345"] {
            assert!(is_e164(fits), "{fits}");
        }
        for not in [
            "",
            "+",
            "4930123456",
            "+0301234567",
            "+123456",
            "+1234567890123456",
            "+49 30 12",
            "+49３０123456",
        ] {
            assert!(!is_e164(not), "{not}");
        }
    }
}
