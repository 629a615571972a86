//! Extent of secrets: from a match of a pattern to the begin and end of the secret value.
//!
//! Each function reads the text once from its start, and at most a bounded number of bytes behind what
//! it returns, so that the search stays linear.

use std::ops::Range;

use regex::bytes::CaptureLocations;

use crate::MASK;
use crate::engine::run;
use crate::numbers::{iban_length, is_card};
use crate::rules::{PROSE, PUBLIC_ENDINGS, Secret};
use crate::text::{Text, is_blank, is_name, is_quote, is_space};

/// Maximum length of a value in brackets; a longer one ends like a value without brackets.
const MAX_BRACKETS: usize = 1024;

/// Maximum length of a key name that ends the value before it (`a=b, name=c`).
const MAX_KEY: usize = 40;

/// Returns the secret that belongs to a match of a pattern.
pub(crate) fn secret(
    secret: Secret,
    text: &Text,
    found: &Range<usize>,
    groups: &CaptureLocations,
) -> Option<Range<usize>> {
    if secret.is_named() && !is_secret_name(text, groups) {
        return None;
    }
    let start = found.end;
    // PWD=/home/app
    let is_path = || {
        let value = || text.at(text.skip(start, |byte| is_quote(byte) || is_blank(byte)));
        is_core(text, groups, "pwd") && matches!(value(), b'/' | b'~')
    };
    match secret {
        Secret::Match("") => {
            let is_part = text.at(start).is_ascii_alphanumeric();
            (!is_part).then(|| found.clone())
        }
        Secret::Match(class) => Some(found.start..run(class, text, start)),
        Secret::Following(class, least) => {
            let end = run(class, text, start);
            (end - start >= least).then_some(start..end)
        }
        Secret::Card => {
            let is_part = is_name(text.at(start)) && text.at(start) != b'.';
            let is_card = !is_part && is_card(&text.bytes()[found.clone()]);
            is_card.then(|| found.clone())
        }
        Secret::Iban => {
            let end = found.start + iban_length(&text.bytes()[found.clone()])?;
            let is_part = text.at(end).is_ascii_alphanumeric();
            (!is_part).then_some(found.start..end)
        }
        Secret::Pem => Some(found.start..pem(text, start)),
        Secret::Assigned => (!is_path()).then(|| assigned(text, start))?,
        Secret::Line => (!is_path()).then(|| line(text, start))?,
        Secret::Paired => {
            let start = text.skip(start, is_space);
            let quoted = quoted(text, start)?;
            Some(start..quoted)
        }
        Secret::Option => argument(text, start),
        Secret::Element => {
            let end = text.skip(start, |byte| byte != b'<');
            let is_element = end < text.len() && text.at(end + 1) == b'/';
            let is_cut = end == text.len() && is_word(text, start);
            (end > start && (is_element || is_cut)).then_some(start..end)
        }
        Secret::Encoded => encoded(text, start),
        Secret::Header => header(text, start),
        Secret::Quoted => {
            let start = text.skip(start, is_blank);
            Some(start..quoted(text, start)?)
        }
        Secret::Credentials => credentials(text, found),
        Secret::UserPassword => user_password(text, start),
        Secret::UserInfo => user_info(text, start),
        Secret::EncodedUserInfo => encoded_user_info(text, start),
        Secret::Code => {
            let end = text.skip(start, |byte| byte.is_ascii_digit());
            let is_part = is_name(text.at(end)) && !is_end_of_sentence(text, end);
            ((3..=10).contains(&(end - start)) && !is_part && text.at(end) != b':')
                .then_some(start..end)
        }
        Secret::InputValue => {
            let mut end = start;
            while end < text.len()
                && !matches!(text.at(end), b'\r' | b'\n')
                && !text.has(end, ", input_type=")
            {
                end += 1;
            }
            (end > start).then_some(start..end)
        }
    }
}

fn is_end_of_sentence(text: &Text, place: usize) -> bool {
    text.at(place) == b'.' && !text.at(place + 1).is_ascii_alphanumeric()
}

/// Returns whether the groups of a pattern, core and suffix, are the name of a secret.
fn is_secret_name(text: &Text, groups: &CaptureLocations) -> bool {
    let (Some((start, core_end)), Some((_, end))) = (groups.get(1), groups.get(2)) else {
        return false;
    };
    let is_core = |core| is_core(text, groups, core);
    // `secretary`, `tokenizer`
    if text.at(core_end).is_ascii_alphabetic() {
        return false;
    }
    // `bypass`, but `PGPASS`
    if is_core("pass") {
        let is_pg = start >= 2 && text.has(start - 2, "pg");
        if text
            .before(if is_pg { start - 2 } else { start })
            .is_ascii_alphabetic()
        {
            return false;
        }
    }
    if is_core("token") && start >= 11 && text.has(start - 11, "unexpected ") {
        return false;
    }
    let mut endings = PUBLIC_ENDINGS.iter();
    !endings.any(|ending| end - start > ending.len() && text.has(end - ending.len(), ending))
}

fn is_core(text: &Text, groups: &CaptureLocations, core: &str) -> bool {
    let group = groups.get(1);
    group.is_some_and(|(start, end)| end - start == core.len() && text.has(start, core))
}

fn is_word(text: &Text, place: usize) -> bool {
    let byte = text.at(place);
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns the end of a value in quotes, or of the text if the quote is not closed: `"…"`, `'…'`,
/// `b'…'`, `\"…\"`.
fn quoted(text: &Text, start: usize) -> Option<usize> {
    let after = text.skip(start, |byte| byte == b'\\');
    if (1..=2).contains(&(after - start)) && text.at(after) == b'"' {
        let end = text.skip(after + 1, |byte| byte != b'"');
        return Some((end + 1).min(text.len()));
    }
    let open = if matches!(text.at(start), b'b' | b'B') {
        start + 1
    } else {
        start
    };
    let quote = text.at(open);
    if !is_quote(quote) {
        return None;
    }
    let mut place = open + 1;
    while place < text.len() {
        match text.at(place) {
            b'\\' => place += 2,
            byte if byte == quote => return Some(place + 1),
            _ => place += 1,
        }
    }
    Some(text.len())
}

/// Returns the end of a value in brackets that are closed soon.
fn bracketed(text: &Text, start: usize) -> Option<usize> {
    if !matches!(text.at(start), b'[' | b'{' | b'(') {
        return None;
    }
    let mut depth = 0;
    let mut place = start;
    let limit = text.len().min(start + MAX_BRACKETS);
    while place < limit {
        match text.at(place) {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth -= 1,
            b'"' | b'\'' => {
                let quote = text.at(place);
                place += 1;
                while place < limit && text.at(place) != quote {
                    place += 1;
                }
            }
            _ => {}
        }
        place += 1;
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

/// Returns whether a value without quotes ends here: before `", `, `, x` or `&x=`.
fn ends_at(text: &Text, place: usize) -> bool {
    let next = text.at(place + 1);
    match text.at(place) {
        b'"' | b'\'' => matches!(next, b',' | b'}' | b']' | b')'),
        b',' | b';' | b'&' => {
            let limit = place + 1 + MAX_KEY;
            let mut end = place + 1;
            while end < limit && is_name(text.at(end)) {
                end += 1;
            }
            is_space(next) || is_quote(next) || (end > place + 1 && text.at(end) == b'=')
        }
        _ => false,
    }
}

fn assigned(text: &Text, start: usize) -> Option<Range<usize>> {
    let start = text.skip(start, is_blank);
    if let Some(end) = quoted(text, start).or_else(|| bracketed(text, start)) {
        return Some(start..end);
    }
    let mut place = start;
    while place < text.len() && !is_space(text.at(place)) {
        // A word in quotes amid the value, such as a"b c"d.
        if is_quote(text.at(place)) && is_word(text, place + 1) {
            let quote = text.at(place);
            let end = text.skip(place + 1, |byte| byte != quote);
            if end < text.len() {
                place = end + 1;
                continue;
            }
        }
        if ends_at(text, place) {
            break;
        }
        place += 1;
    }
    (place > start).then_some(start..place)
}

fn line(text: &Text, start: usize) -> Option<Range<usize>> {
    // `Credentials::load`, and `:=` is an assignment.
    if matches!(text.at(start), b':' | b'=') {
        return None;
    }
    let start = text.skip(start, is_blank);
    if let Some(end) = quoted(text, start).or_else(|| bracketed(text, start)) {
        return Some(start..end);
    }
    if matches!(text.at(start), b'|' | b'>')
        && let Some(is_block) = block(text, start)
    {
        return is_block;
    }
    if is_space(text.at(start)) {
        return None;
    }
    let mut place = start;
    while place < text.len() && !matches!(text.at(place), b'\r' | b'\n') && !ends_at(text, place) {
        place += 1;
    }
    (place > start).then_some(start..place)
}

/// Returns the lines of a block scalar of YAML, which may be none; `None` where no block begins.
#[expect(
    clippy::option_option,
    reason = "a block without lines differs from no block"
)]
fn block(text: &Text, start: usize) -> Option<Option<Range<usize>>> {
    let mut place = text.skip(start + 1, |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-'));
    place = text.skip(place, |byte| is_blank(byte) || byte == b'\r');
    if text.at(place) != b'\n' {
        return None;
    }
    let mut lines: Option<(Range<usize>, usize)> = None;
    while place < text.len() {
        let begin = place + 1;
        let first = text.skip(begin, is_blank);
        let end = text.skip(first, |byte| !matches!(byte, b'\r' | b'\n'));
        if end > first {
            match &mut lines {
                None if first > begin => lines = Some((first..end, first - begin)),
                Some((lines, indent)) if first - begin >= *indent => lines.end = end,
                _ => break,
            }
        }
        place = text.skip(end, |byte| byte == b'\r');
    }
    Some(lines.map(|(lines, _)| lines))
}

fn argument(text: &Text, start: usize) -> Option<Range<usize>> {
    if let Some(end) = quoted(text, start) {
        return Some(start..end);
    }
    let end = text.skip(start, |byte| !is_space(byte));
    (end > start && text.at(start) != b'-').then_some(start..end)
}

fn header(text: &Text, start: usize) -> Option<Range<usize>> {
    if text.at(start) == b':' {
        return None;
    }
    let start = text.skip(start, is_blank);
    if text.has(start, MASK) {
        return Some(start..start + MASK.len());
    }
    let to_end = || text.skip(start, |byte| !matches!(byte, b'\r' | b'\n'));
    let end = quoted(text, start).unwrap_or_else(to_end);
    (end > start).then_some(start..end)
}

fn user_password(text: &Text, start: usize) -> Option<Range<usize>> {
    // The match may include the quote.
    let start = if is_quote(text.before(start)) {
        start - 1
    } else {
        start
    };
    let end = quoted(text, start)
        .unwrap_or_else(|| text.skip(start, |byte| !is_space(byte) && !is_quote(byte)));
    let has_password = text.bytes()[start..end].contains(&b':');
    text.count(end - start);
    (has_password && text.at(start) != b'-').then_some(start..end)
}

fn credentials(text: &Text, found: &Range<usize>) -> Option<Range<usize>> {
    let start = found.end;
    let end = text.skip(start, |byte| {
        !is_space(byte) && !is_quote(byte) && !matches!(byte, b'<' | b'>' | b',' | b';' | b'&')
    });
    // Base64 of a name and a password has more than lower-case letters.
    let is_base64 = || {
        let rest = text.bytes().get(start + 1..end).unwrap_or_default();
        text.count(rest.len());
        rest.iter().any(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'=')
        })
    };
    let is_secret = end > start && !is_prose(text, start, end);
    let is_secret = is_secret && (!text.has(found.start, "basic") || is_base64());
    is_secret.then_some(start..end)
}

/// Returns whether a word is prose, or a parameter such as `expires_in=3600`.
fn is_prose(text: &Text, start: usize, end: usize) -> bool {
    let word = text.skip(start, |byte| byte.is_ascii_alphabetic());
    let name = text.skip(word, |byte| byte == b'_' || byte.is_ascii_alphabetic());
    if name > start && name - start <= MAX_KEY && name + 1 < end {
        let is_parameter = text.at(name) == b'=' && text.at(name + 1) != b'=';
        if is_parameter {
            return true;
        }
    }
    let is_whole = text.skip(word, |byte| matches!(byte, b'.' | b':' | b'=')) == end;
    let mut words = PROSE.iter();
    is_whole && words.any(|prose| prose.len() == word - start && text.has(start, prose))
}

/// Characters of URLs, as `%XX` or plain, up to what separates parameters and values.
fn encoded(text: &Text, start: usize) -> Option<Range<usize>> {
    let mut start = start;
    for skipped in ["%20", "+", "%22", "%27", "%2522", "%2527"] {
        if text.has(start, skipped) {
            start += skipped.len();
        }
    }
    let mut place = start;
    loop {
        match text.at(place) {
            b'%' => {
                let after = if text.has(place + 1, "25") {
                    place + 3
                } else {
                    place + 1
                };
                let ends = ["26", "22", "27", "2c", "3b", "7d", "0a", "0d"];
                if ends.iter().any(|code| text.has(after, code)) {
                    break;
                }
                place += 1;
            }
            byte if byte.is_ascii_alphanumeric() || b"._~!*()+-$/:@".contains(&byte) => place += 1,
            _ => break,
        }
    }
    (place > start).then_some(start..place)
}

/// Text before the last `@`, unless that is in the path.
fn user_info(text: &Text, start: usize) -> Option<Range<usize>> {
    let (mut end, mut slash, mut colon) = (None, None, false);
    let mut place = start;
    loop {
        match text.at(place) {
            0 if place >= text.len() => break,
            b'"' | b'\'' | b'<' | b'>' => break,
            byte if is_space(byte) => break,
            b':' if text.at(place + 1) == b'/' && text.at(place + 2) == b'/' => break,
            b':' if slash.is_none() => colon = true,
            b'/' | b'?' | b'#' if slash.is_none() => slash = Some(place),
            // In https://host/@name and https://host/user@x it is a part of the path.
            b'@' if slash.is_none() || end.is_some() => end = Some(place),
            b'@' if colon && text.before(place) != b'/' => end = Some(place),
            _ => {}
        }
        place += 1;
    }
    let end = end?;
    (end > start).then_some(start..end)
}

fn encoded_user_info(text: &Text, start: usize) -> Option<Range<usize>> {
    let mut end = None;
    let mut place = start;
    loop {
        match text.at(place) {
            b'%' if text.has(place + 1, "40") => {
                end = Some(place);
                break;
            }
            b'%' if text.has(place + 1, "2f") => break,
            b'%' => place += 1,
            byte if byte.is_ascii_alphanumeric() || b"._~!*()+-$".contains(&byte) => place += 1,
            _ => break,
        }
    }
    end.filter(|end| *end > start).map(|end| start..end)
}

/// Returns the end of a private key: behind its last line, or that of the text.
fn pem(text: &Text, start: usize) -> usize {
    let Some(end) = text.find(start, text.len(), "-----END ") else {
        return text.len();
    };
    let name = text.skip(end + 9, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
    });
    text.skip(name, |byte| byte == b'-').min(name + 5)
}
