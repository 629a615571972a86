//! Check digits of card numbers and bank accounts.

/// Lengths of IBANs by country, as the registry of SWIFT has them.
pub const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 \
    CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 \
    HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 \
    MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 \
    SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

/// Number ranges of the big card networks: first and last prefix of four digits, minimum and maximum
/// number of digits.
pub const CARDS: &[(u32, u32, usize, usize)] = &[
    (2221, 2720, 16, 16), // Mastercard
    (3000, 3059, 14, 14), // Diners Club
    (3400, 3499, 15, 15), // American Express
    (3528, 3589, 16, 19), // JCB
    (3600, 3699, 14, 14), // Diners Club
    (3700, 3799, 15, 15), // American Express
    (3800, 3999, 14, 14), // Diners Club
    (4000, 4999, 16, 19), // Visa
    (5100, 5599, 16, 16), // Mastercard
    (6011, 6011, 16, 19), // Discover
    (6200, 6299, 16, 19), // UnionPay
    (6440, 6599, 16, 19), // Discover
];

/// Returns whether digits and separators are a payment card number of one of the big networks with a
/// valid Luhn check digit.
pub(crate) fn is_card(text: &[u8]) -> bool {
    let digits: Vec<u8> = text
        .iter()
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0')
        .collect();
    let prefix = digits
        .iter()
        .take(4)
        .fold(0, |prefix, &digit| prefix * 10 + u32::from(digit));
    let fits = CARDS.iter().any(|&(first, last, least, most)| {
        (first..=last).contains(&prefix) && (least..=most).contains(&digits.len())
    });
    fits && luhn(&digits)
}

/// Luhn check: every second digit from the right is doubled; the sum must be a multiple of ten.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Returns the length in bytes of an IBAN, in one piece or in groups of four, at the beginning of a text
/// that starts with a country code and check digits.
pub(crate) fn iban_length(text: &[u8]) -> Option<usize> {
    let length = country_length(text.get(..2)?)?;
    let (mut seen, mut place) = (0, 0);
    while seen < length {
        match *text.get(place)? {
            b' ' if seen > 0 && seen % 4 == 0 => {}
            byte if byte.is_ascii_digit() || byte.is_ascii_uppercase() => seen += 1,
            _ => return None,
        }
        place += 1;
    }
    (remainder(&text[..place]) == 1).then_some(place)
}

fn country_length(country: &[u8]) -> Option<usize> {
    let mut entries = IBAN_LENGTHS.split(' ');
    let entry = entries.find(|entry| &entry.as_bytes()[..2] == country)?;
    entry[2..].parse().ok()
}

/// Computes the IBAN's check remainder modulo 97 (ISO 7064): the first four characters move to the end,
/// and letters count from A = 10.
fn remainder(iban: &[u8]) -> u32 {
    let (front, back) = iban.split_at(4);
    let mut remainder = 0;
    for &byte in back.iter().chain(front) {
        remainder = match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => remainder * 100 + u32::from(byte - b'A') + 10,
            _ => remainder,
        } % 97;
    }
    remainder
}
