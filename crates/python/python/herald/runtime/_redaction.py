"""Redaction of secrets, in Python alone."""

import re
from collections.abc import Iterable
from functools import cache
from string import ascii_letters, digits
from typing import Final

from herald.runtime._redaction_rules import (
    CARDS,
    IBAN_LENGTHS,
    PROSE,
    PUBLIC_ENDINGS,
    RULES,
)

MASK: Final = "***"
MAX_BRACKETS: Final = 1024  # A longer value in brackets ends as one without them.
ALPHANUMERIC: Final = ascii_letters + digits

# What may not stand right before a match.
_BEFORE: Final = {
    "any": "",
    "alphanumeric": ALPHANUMERIC,
    "part": ALPHANUMERIC + "_-.",
}

# A value in quotes, maybe cut. Without quotes it ends before `", `, `, x` or `&x=`.
_QUOTED: Final = r"""
    \\{1,2}" [^"]* (?: "|\Z ) | b?" (?: [^"\\] | \\. )* (?: "|\\?\Z )
    | b?' (?: [^'\\] | \\. )* (?: '|\\?\Z )
"""
_GOES_ON: Final = r"""(?! ["'][,}\])] | [,;&](?:[\s"']|[\w.-]{1,40}=) )"""

# The secret of each kind, from the end of a match on. Each takes linear time: what it
# repeats can match in one way only, or is bounded.
_VALUES: Final = {
    "assigned": rf"""[ \t]* ( {_QUOTED}
        | (?: "(?=\w)[^"]*" | '(?=\w)[^']*' | {_GOES_ON}\S )+ )""",
    "line": rf"(?![:=]) [ \t]* ( {_QUOTED} | (?=\S)(?: {_GOES_ON}[^\r\n] )+ )",
    "paired": rf"\s* ( {_QUOTED} )",
    "option": rf"( {_QUOTED} | (?!-)\S+ )",
    "element": r"( [^<]+(?=</) | \w[^<]*\Z )",
    "encoded": r"""
        (?:%20)? \+? (?:%22)? (?:%27)? (?:%2522)? (?:%2527)?
        ( (?: [a-z0-9._~!*()+$/:@-] | %(?!(?:25)?(?:26|22|27|2c|3b|7d|0a|0d)) )+ )""",
    "header": rf"(?!:) [ \t]* ( \*\*\* | {_QUOTED} | [^\r\n]+ )",
    "quoted": rf"[ \t]* ( {_QUOTED} )",
    "credentials": rf"""
        (?! (?:{PROSE})[.:=]*(?:[\s"'<>,;&]|\Z) | [a-z_]{{1,40}}=[^=\s"'<>,;&] )
        ( [^\s"'<>,;&]+ )""",
    "user_password": rf"( (?!-) (?: {_QUOTED} | [^\s\"']* ) )",
    "user_info": r"""( (?: [^\s"'<>:] | :(?!//) )* )""",
    "encoded_user_info": r"( (?: [a-z0-9._~!*()+$-] | %(?!40|2f) )+ ) (?=%40)",
    "code": r"( [0-9]{3,10} ) (?! [\w:-] | \.[a-z0-9] )",
    "input_value": r"( (?: (?!,\ input_type=)[^\r\n] )+ )",
    "pem": r"( .*? (?: -----(?-i:END)\ (?-i:[A-Z0-9\ ])*-{0,5} | \Z ) )",
    "card": r"() (?! [\w-] )",
    "iban": "()",
}
_NAMED: Final = {"assigned", "line", "paired", "option", "element", "encoded"}
_BLANKS: Final = re.compile(r"[ \t]*")
_PATH: Final = re.compile(r"""["' \t]*[/~]""")
_BLOCK: Final = re.compile(r"[ \t]*[|>][0-9+-]*[ \t\r]*\n")
_BLOCK_LINE: Final = re.compile(r"([ \t]*)([^\r\n]*)\r*")
_PUBLIC: Final = re.compile(rf".(?:{PUBLIC_ENDINGS})\Z", re.DOTALL)


def mask_secrets(text: str, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return a text with `***` for secrets."""
    spans: list[tuple[int, int]] = []
    lower = text.lower()
    for secret, before, ignore_case, keywords, pattern, value in RULES:
        known = lower if ignore_case else text
        if not keywords or any(keyword in known for keyword in keywords.split()):
            rule, ends = _compiled(secret, pattern, ignore_case, value)
            _search(text, spans, secret, _BEFORE[before], rule, ends)
    for custom in also:
        spans += [match.span() for match in custom.finditer(text) if match.group()]
    return _masked(text, sorted(spans)) if spans else text


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    last = 0
    for start, end in spans:
        if start > last or not parts:
            parts += [text[last:start], MASK]
        last = max(last, end)
    return "".join(parts) + text[last:]


@cache
def _compiled(
    secret: str, pattern: str, ignore_case: bool, value: str
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    case = re.IGNORECASE if ignore_case else re.NOFLAG
    if value:
        ends = re.compile(f"({value})", re.ASCII)
    else:
        flags = re.ASCII | re.DOTALL | re.VERBOSE | re.IGNORECASE
        ends = re.compile(_VALUES[secret], flags)
    return re.compile(pattern, re.ASCII | case), ends


def _search(
    text: str,
    spans: list[tuple[int, int]],
    secret: str,
    before: str,
    rule: re.Pattern[str],
    ends: re.Pattern[str],
) -> None:
    place = 0
    run = 0  # So far the last token goes.
    while match := rule.search(text, place):
        start, end = match.span()
        place = start + 1
        if start and text[start - 1] in before:
            continue
        if secret == "match":
            if end > run:
                rest = ends.match(text, end)
                if not rest:
                    continue
                run = rest.end()
            spans.append((start, run))
        elif span := _secret(text, secret, match, ends):
            spans.append(span)
            place = max(place, span[1])


def _secret(
    text: str, secret: str, match: re.Match[str], ends: re.Pattern[str]
) -> tuple[int, int] | None:
    """Return the span of the secret of a match."""
    start, end = match.span()
    if secret in _NAMED and not _is_secret_name(text, match):
        return None
    if secret == "user_password" and text[end - 1] in "\"'":
        end -= 1
    found = ends.match(text, end)
    if secret in {"assigned", "line"}:
        if match[1].lower() == "pwd" and _PATH.match(text, end):
            return None
        if secret == "line" and (block := _BLOCK.match(text, end)):
            return _block(text, block.end())
        if secret == "assigned" or text[end : end + 1] not in {":", "="}:
            value = _end(_BLANKS.match(text, end))
            if closed := _bracketed(text, value):
                return value, closed
    if not found:
        return None
    match secret:
        case "card":
            return (start, end) if _is_card(match[0]) else None
        case "iban":
            end = start + _iban_length(match[0])
            is_part = text[end : end + 1].isascii() and text[end : end + 1].isalnum()
            return None if end == start or is_part else (start, end)
        case "pem":
            return start, found.end(1)
        case "user_info":
            return _user_info(found[1], end)
        case "credentials" if match[0][:5].lower() == "basic":
            # Base64 of a name and a password has more than lower-case letters.
            return found.span(1) if re.search("[A-Z0-9+=]", found[1][1:]) else None
        case "user_password":
            return found.span(1) if ":" in found[1] else None
        case _:
            return found.span(1)


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _is_secret_name(text: str, match: re.Match[str]) -> bool:
    """Tell whether the groups of a match are the name of a secret."""
    start, core, rest = match.start(1), match[1].lower(), match[2].lower()
    following = text[match.end(1) : match.end(1) + 1]
    if following and following in ascii_letters:  # secretary, tokenizer
        return False
    if core == "pass":  # bypass, but PGPASS
        begin = start - 2 if text[max(start - 2, 0) : start].lower() == "pg" else start
        if begin and text[begin - 1] in ascii_letters:
            return False
    if core == "token" and text[max(start - 11, 0) : start].lower() == "unexpected ":
        return False
    return not _PUBLIC.search(core + rest)


def _bracketed(text: str, start: int) -> int:
    """Return the end of a value in brackets that are closed soon, or 0."""
    depth = 0
    quote = ""
    for place, character in enumerate(text[start : start + MAX_BRACKETS], start):
        if quote:
            quote = "" if character == quote else quote
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif depth == 0:
            return 0
        elif character in "\"'":
            quote = character
        if depth <= 0:
            return place + 1 if depth == 0 else 0
    return 0


def _block(text: str, place: int) -> tuple[int, int] | None:
    """Return where the lines of a block scalar of YAML stand."""
    start, end, indent = 0, 0, ""
    while place <= len(text) and (line := _BLOCK_LINE.match(text, place)):
        if line[2]:
            if len(line[1]) < max(len(indent), 1):
                break
            start, indent = start or line.start(2), indent or line[1]
            end = line.end(2)
        place = line.end() + 1
    return (start, end) if end else None


def _user_info(run: str, start: int) -> tuple[int, int] | None:
    """Return what stands before the last `@`, unless that is in the path."""
    authority = re.split("[/?#]", run, maxsplit=1)[0]
    is_user = "@" in authority or (":" in authority and re.search("[^/]@", run))
    end = run.rfind("@")
    return (start, start + end) if is_user and end > 0 else None


def _is_card(text: str) -> bool:
    numbers = [int(digit) for digit in text if digit in digits]
    prefix = int("".join(map(str, numbers[:4])))
    fits = any(
        first <= prefix <= last and least <= len(numbers) <= most
        for first, last, least, most in CARDS
    )
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return fits and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _iban_length(text: str) -> int:
    """Return how much of a text is an IBAN, alone or in groups of four."""
    length = IBAN_LENGTHS.partition(text[:2])[2][:2]
    iban = ""
    place = 0
    while length and len(iban) < int(length) and place < len(text):
        if text[place] != " ":
            iban += text[place]
        elif len(iban) % 4:
            return 0
        place += 1
    if not length or len(iban) != int(length):
        return 0
    number = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return place if int(number) % 97 == 1 else 0
