//! Numbers: codes, cards, bank accounts.

use super::{Before, Rule, Secret};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "one-time-code",
        title: "One-time passwords and verification codes",
        keywords: &["otp", "code"],
        before: Before::Alphanumeric,
        pattern: concat!(
            r"(?:t?otp|(?:verification|security|mfa|2fa|auth|login|one[_ -]?time)[_ -]?code)",
            r#"[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is|was)?[ \t]{0,4}[\\"']{0,2}"#
        ),
        ignore_case: true,
        secret: Secret::Code,
        examples: &[
            "otp=«482091»",
            "your OTP is «482091», it ends soon",
            "{\"totp\": \"«482091»\"}",
            "verification code «482091» was refused",
        ],
        near_misses: &[
            "otp=expired",
            "laptop=1234567",
            "error code 500",
            "login code v2",
            "otp 17:30",
        ],
    },
    Rule {
        id: "pin",
        title: "PINs and security codes of cards",
        keywords: &["pin", "cvv", "cvc"],
        before: Before::Alphanumeric,
        pattern: concat!(
            r"(?:pin|pin[_ -]?code|cvv2?|cvc2?)",
            r#"[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is|was)[ \t]{0,4}[\\"']{0,2}"#
        ),
        ignore_case: true,
        secret: Secret::Code,
        examples: &[
            "pin=«4820»",
            "{\"card_pin\": «4820», \"cvv\": \"«482»\"}",
            "PIN is «4820»",
        ],
        near_misses: &[
            "pin: north",
            "GPIO pin 1234: high",
            "spin=1234",
            "opinion: 1234",
            "pinned: 1234",
            "pin=12",
        ],
    },
    Rule {
        id: "card",
        title: "Payment card numbers, with and without separators (Luhn)",
        keywords: &[],
        before: Before::Part,
        pattern: concat!(
            "[0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}",
            "|3[0-9]{3}[ .-][0-9]{6}[ .-][0-9]{4,5}",
            "|[0-9]{14,16}"
        ),
        ignore_case: false,
        secret: Secret::Card,
        examples: &[
            "card «4111 1111 1111 1111» refused",
            "card=«5555-5555-5555-4444»",
            "amex «3782 822463 10005»",
            "pan «4111111111111111», try again",
        ],
        near_misses: &[
            "card 4111 1111 1111 1112",
            "order 1234 5678 9012 3456",
            "at 1700000000000000",
            "id 4111-1111-1111-1111-4111",
            "trace 41111111111111111111",
            "f4111111111111111",
        ],
    },
    Rule {
        id: "iban",
        title: "Bank account numbers (IBAN, with its check digits)",
        keywords: &[],
        before: Before::Alphanumeric,
        pattern: "[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}",
        ignore_case: false,
        secret: Secret::Iban,
        examples: &[
            "to «DE89 3704 0044 0532 0130 00» of Bob",
            "to «GB82WEST12345698765432».",
        ],
        near_misses: &[
            "to DE88 3704 0044 0532 0130 00",
            "QX89370400440532013000",
            "SKU DE89370400440532013000X",
        ],
    },
];
