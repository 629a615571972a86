"""Redaction of secrets in error texts."""

import re
from collections.abc import Iterable
from typing import Final

from herald.runtime._json import text_of

ERROR_WINDOW: Final = 4_000  # so much of an error is read and masked,
HALF_A_SECRET: Final = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT: Final = 2_000  # and so much of that is kept

# Names of secrets, and what follows: name=x, or name: x, "name": "x", ('name', 'x').
_NAME: Final = r"""
    (?: pass(?:word|wd|phrase)[a-z]{0,16}   # db_password, passwordHash
      | (?<![a-z]) (?:pg)?pass              # PGPASS, db_pass; not bypass
      | pwd (?! ["'=:\ ]{1,5} [/~] )        # not PWD=/home/app
      | secrets? | credentials?             # not secretary
      | (?<! unexpected\ ) token            # not max_tokens, tokenizer
      | (?:api|access|account|private|secret|signing)[_.-]?key | session[_.-]?id
    ) (?: [\d_.-] [\w.-]{0,32} )?           # secret_access_key, password2
"""
_EQUALS: Final = r"""[\\"'\])]{0,4} [ \t]* [=:]?=>? [ \t]*"""
_COLON: Final = r"""[\\"'\])]{0,4} [ \t]* (?::(?!:)|(?<=["']),(?=\s?b?["'])) [ \t]*"""
# A value in quotes, maybe cut. Without quotes it ends before `", `, `, x` or `&x=`.
_QUOTED: Final = r"""
    \\{1,2}" [^"]* (?: "|\Z ) | b?" (?: [^"\\] | \\. )* (?: "|\\?\Z )
    | b?' (?: [^'\\] | \\. )* (?: '|\\?\Z )
"""
_GOES_ON: Final = r"""(?! ["'][,}\])] | [,;&](?:[\s"']|[\w.-]{1,40}=) )"""

# Of a match the first part stays, the second is a secret. Each takes linear time: what
# it repeats can match in one way only, or is bounded.
_SECRETS: Final = tuple(
    re.compile(f"({kept}) (?: {secret} )", re.IGNORECASE | re.VERBOSE | re.DOTALL)
    for kept, secret in (
        # -----BEGIN RSA PRIVATE KEY----- ..., whole or cut
        (r"", r"-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*-----|\Z)"),
        # Authorization: AWS4 a=b, c=d    Set-Cookie: a=b; c=d    passphrase: two words
        (
            rf"(?: authorization | cookie | passphrase ) (?: {_EQUALS} | {_COLON} )",
            rf"{_QUOTED} | [^\r\n]+",
        ),
        # Bearer x, Basic eDp5; not "Basic authentication"
        (r"\b(?:bearer|basic(?=\s+(?-i:[a-z]*[A-Z0-9+/=])))\s+", r"""[^\s"'<>,;]+"""),
        # password=x, Password = "x y", password=a"b c"
        (
            rf"{_NAME} {_EQUALS}",
            rf"""{_QUOTED} | (?: "(?=\w)[^"]*" | '(?=\w)[^']*' | {_GOES_ON}\S )+""",
        ),
        # password: two words, "password": "x", ('password', 'x')
        (rf"{_NAME} {_COLON}", rf"{_QUOTED} | (?=\S)(?: {_GOES_ON}[^\r\n] )+"),
        # --password x, --db-password "x y"
        (r"--(?:\w{1,20}-){0,3}" + _NAME + r"[ ]+", _QUOTED + r"| (?!-)\S+"),
        # scheme://user:password@host, up to the last @
        (r"://", r"""(?:[^\s"'<>:]|:(?!//))*(?=@)"""),
        # JWT, GitHub, AWS, Slack
        (
            r"(?<![a-z0-9])",
            r"eyJ[\w.-]{10,} | (?:gh[opsur]|github_pat)_\w{16,}"
            r" | A[KS]IA[0-9A-Z]{16} | xox[a-z]-[\w-]{8,}",
        ),
    )
)


def redact_secrets(value: object, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the text of an error, truncated, with `***` for secrets. Never raises.

    Args:
        value: The error.
        also: Patterns of secrets from a contract, in addition to the built-in ones.
    """
    try:
        full = text_of(value)
        text = full[:ERROR_WINDOW]
        for pattern in _SECRETS:
            text = pattern.sub(r"\1***", text)
        for pattern in also:
            text = pattern.sub("***", text)
        if len(full) > ERROR_WINDOW:
            masked, mask, rest = text.rpartition("***")
            text = masked + mask + rest[:-HALF_A_SECRET] + " [...]"
        return text if len(text) <= MAX_ERROR_TEXT else text[:MAX_ERROR_TEXT] + " [...]"
    except Exception:
        return "<unprintable error>"


def reason_of(error: BaseException, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the type of an error and its redacted text."""
    name, text = type(error).__name__, redact_secrets(error, also)
    return f"{name}: {text}" if text else name
