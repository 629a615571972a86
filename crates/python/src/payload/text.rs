//! JSON strings: quoting and escaping.

/// Appends a string with quotes.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (clean, from_escape) = rest.split_at(clean(rest));
        out.extend_from_slice(clean);
        let Some((&byte, after)) = from_escape.split_first() else {
            break;
        };
        escape(byte, out);
        rest = after;
    }
    out.push(b'"');
}

/// Returns the number of bytes before the first one that must be escaped.
fn clean(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let done = words
        .iter()
        .take_while(|word| !any_needs_escape(u64::from_le_bytes(**word)))
        .count();
    let tail = words.get(done).map_or(tail, |word| word);
    done * 8
        + tail
            .iter()
            .position(|&byte| needs_escape(byte))
            .unwrap_or(tail.len())
}

fn needs_escape(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether one of eight bytes is below 0x20, a quote or a backslash. See "Determine if a word has a
/// byte less than n" in Bit Twiddling Hacks; it is exact as to whether there is one.
fn any_needs_escape(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES * 0x80;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ') | equal(b'"') | equal(b'\\')) & HIGH != 0
}

#[cold]
fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(if byte < 0x10 { b"\\u000" } else { b"\\u001" });
            out.push(b"0123456789abcdef"[usize::from(byte & 0xf)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
