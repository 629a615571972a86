"""Secrets in the texts of errors."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from herald.runtime import redact_secrets

from harness import load

orders = load("orders_events").OrdersEventPublisher
redact = partial(redact_secrets, also=orders.redactions)

SECRET = "hunter2-Zq9"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{'eyJzdWIiOiIxIn0' * 20}.c2lnbmF0dXJl-_x"
HANG_SECONDS = 120

MASKED = {
    # name=value: up to white space, or to what comes next
    f"password={SECRET}": "password=***",
    f"PASSWORD = {SECRET} user=bob": "PASSWORD = *** user=bob",
    f"db_password={SECRET}&user=bob": "db_password=***&user=bob",
    f"Server=db;Password={SECRET};Database=x": "Server=db;Password=***;Database=x",
    f"passwd='{SECRET} with spaces' rest": "passwd=*** rest",
    f'password="{SECRET} is cut': "password=***",
    f'password=ab"cd {SECRET}" rest': "password=*** rest",
    f"db_pass={SECRET}": "db_pass=***",
    f"PGPASS={SECRET}": "PGPASS=***",
    f"user=bob pass={SECRET}": "user=bob pass=***",
    f"pwd={SECRET}": "pwd=***",
    f"passwordHash={SECRET}": "passwordHash=***",
    f"client_secret={SECRET}, retrying": "client_secret=***, retrying",
    f"AWS_SECRET_ACCESS_KEY={SECRET}": "AWS_SECRET_ACCESS_KEY=***",
    f"apikey={SECRET}": "apikey=***",
    f"access_key={SECRET}": "access_key=***",
    f"accessToken={SECRET}": "accessToken=***",
    f"sasl.password={SECRET}": "sasl.password=***",
    f"credentials={SECRET}": "credentials=***",
    f"session_id={SECRET}": "session_id=***",
    f'environ["DB_PASSWORD"]="{SECRET}"': 'environ["DB_PASSWORD"]=***',
    f"token=Bearer {SECRET} rest": "token=*** *** rest",
    f'{{"dsn":"password={SECRET}","error":"refused"}}': (
        '{"dsn":"password=***","error":"refused"}'
    ),
    # name: value, to the end of the line or to what comes next
    f"password: {SECRET}": "password: ***",
    f"password:   {SECRET}": "password:   ***",
    f"secret: two {SECRET}\nrest": "secret: ***\nrest",
    f"secret: two {SECRET}, retry: 3": "secret: ***, retry: 3",
    f"x-api-key: {SECRET}": "x-api-key: ***",
    f"private_key: {SECRET}": "private_key: ***",
    f"invalid token: {SECRET}": "invalid token: ***",
    f'{{"password": "{SECRET}", "user": "bob"}}': '{"password": ***, "user": "bob"}',
    f'{{"pass":"{SECRET}","user":"bob"}}': '{"pass":***,"user":"bob"}',
    f"{{'api_key': '{SECRET}', 'n': 1}}": "{'api_key': ***, 'n': 1}",
    f"{{'token': b'{SECRET}', 'n': 1}}": "{'token': ***, 'n': 1}",
    f'{{\\"token\\": \\"{SECRET}\\", \\"n\\": 1}}': '{\\"token\\": ***, \\"n\\": 1}',
    f'"secret": "a\\"{SECRET}" rest': '"secret": *** rest',
    # pairs
    f"('password', '{SECRET}')": "('password', ***)",
    f"[('Authorization', 'Token {SECRET}')]": "[('Authorization', ***)]",
    # headers and others that run to the end of the line
    f"Authorization: Bearer {SECRET}": "Authorization: ***",
    f"authorization: Basic {SECRET}\nHost: x": "authorization: ***\nHost: x",
    f"{{'Authorization': 'Bearer {SECRET}', 'n': 1}}": "{'Authorization': ***, 'n': 1}",
    f"Authorization: AWS4 Credential=x, Signature={SECRET}": "Authorization: ***",
    f"cookie: a=b; c={SECRET}; d\nrest": "cookie: ***\nrest",
    f"Set-Cookie: a={SECRET}; Path=/; Secure": "Set-Cookie: ***",
    f"passphrase: correct horse {SECRET}": "passphrase: ***",
    f"passphrase=correct horse {SECRET}": "passphrase=***",
    # arguments of programs
    f"mysql --password {SECRET} -u bob": "mysql --password *** -u bob",
    f"x --db-access-token '{SECRET} y' z": "x --db-access-token *** z",
    f"['--password', '{SECRET}']": "['--password', ***]",
    # tokens without a name
    f"rejected bearer {SECRET}.x_y-z/+= twice": "rejected bearer *** twice",
    f"sent Basic {SECRET} twice": "sent Basic *** twice",
    f"signature of {JWT} is wrong": "signature of *** is wrong",
    "no access with ghp_0123456789abcdefABCD": "no access with ***",
    "no access with github_pat_0123456789abcdefABCD_x": "no access with ***",
    "InvalidAccessKeyId AKIAIOSFODNN7EXAMPLE": "InvalidAccessKeyId ***",
    "slack: xoxb-123456789012-abcdef": "slack: ***",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY----- x": (
        "*** x"
    ),
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}": "***",
    # URLs
    f"postgres://bob:{SECRET}@db:5432/x": "postgres://***@db:5432/x",
    f"amqp://bob:p@ss/{SECRET}@mq/x": "amqp://***@mq/x",
    f"kafka://u:1234/{SECRET}@h": "kafka://***@h",
    f"redis://:{SECRET}@cache": "redis://***@cache",
    f"https://{SECRET}@github.com/x": "https://***@github.com/x",
    f"https://oauth:{'z' * 320}{SECRET}@git.x/y": "https://***@git.x/y",
    f"kafka://a:{SECRET}@h1,kafka://b:{SECRET}@h2": "kafka://***@h1,kafka://***@h2",
    # what the contract calls a secret
    "charged SK_LIVE_abcdefgh12 once": "charged *** once",
    "card 1111 2222 3333 4444 refused": "card *** refused",
}

KEPT = [
    "connection refused: http://localhost:9092/topics",
    "Basic authentication failed",
    "topic orders.v1, partition 3: leader not available",
    "wrong password for user bob",
    "mail to bob@example.org bounced",
    '{"url":"https://api/x","mail":"bob@example.org"}',
    "unexpected token: 'foo' at line 3",
    "Unexpected token < in JSON at position 0",
    "max_tokens=4096",
    "secretary: Bob",
    "tokenizer: bpe",
    "pwd: /home/app",
    "PWD=/home/app OLDPWD=/tmp",
    '{"PWD": "/home/app"}',
    "bypass=true",
    "compass: north",
    "auth::Credentials::load failed: no such file",
    "Authorization failed for user bob",
    "missing option --password",
    "xoxo",
    "",
]


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert redact(ValueError(text)) == masked
    assert SECRET not in redact(f"before {text} after")


@pytest.mark.parametrize("text", KEPT)
def test_keeps_texts_without_secrets(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1000,
        '{"error":"' + "x" * 3000 + '"}',
        "Traceback\n" + '  File"x"\n' * 300,
    ],
)
def test_truncates_long_texts(text: str) -> None:
    assert redact(text) == f"{text[:2000]} [...]"


def test_masks_a_long_secret_only() -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{SECRET * 1000}\n-----END PRIVATE KEY-----"
    assert redact(f"bad key {key}") == "bad key *** [...]"


@pytest.mark.parametrize(
    "secret",
    [f"postgres://bob:{SECRET}@db", f"password={SECRET}", JWT, f"bearer {SECRET}"],
)
@pytest.mark.parametrize("end", [2000, 4000])
def test_truncation_does_not_reveal_a_secret(secret: str, end: int) -> None:
    for length in range(end - len(secret) - 10, end + 1):
        # What is masked before makes room for the end of what is looked at.
        begin = f"password={'p' * 3000} " if end == 4000 else ""
        text = redact(begin + "x" * (length - len(begin) - 1) + " " + secret + " rest")
        assert "hunter" not in text
        assert "eyJ" not in text


PUMPED = [
    ("password=", ""),
    ('password="', ""),
    ("password='a", "\\"),
    ("password:", ""),
    ("password:", "\t"),
    ("password=", ",;&"),
    ("password=", ",a"),
    ("password=a", "\"a'a"),
    ("password", "_"),
    ("password", " "),
    ("pass", ""),
    ("token", ""),
    ("token.", "a-"),
    ("://", ""),
    ("://a:", ""),
    ("://", "a"),
    ("://", "@"),
    ("bearer ", ""),
    ("bearer", " "),
    ("basic ", ""),
    ("basic ", "a"),
    ("-----BEGIN PRIVATE KEY-----", ""),
    ("-----BEGIN PRIVATE KEY-----", "-----END "),
    ("-----BEGIN ", "A "),
    ('authorization:"', "\\"),
    ("authorization ", ""),
    ("--", ""),
    ("--", "a-"),
    ("--token", " "),
    ("eyJ", ""),
    ("gh", "p_"),
    ("password=[", "("),
    ("password=", "[\"'"),
    ("password: |\n", " \n"),
    ("<password>", ""),
    ("<password", "a"),
    ("<", "pass"),
    ("curl", " -u "),
    ("mysql", " -p"),
    ("input_value=", ", input_type="),
    ("4111", " 1111"),
    ("DE89 ", "3704 "),
    ("%3A%2F%2F", "a"),
    ("password%3D", "%25"),
    ("", "\\"),
    ("", '"'),
    ("", "x"),
]

PUMP = """
import sys
import conftest
from harness import load
from herald.runtime._redaction import mask_secrets
from herald.runtime._redaction_rules import RULES

redactions = load("orders_events").OrdersEventPublisher.redactions
pumps = [pump.rsplit("|", 1) for pump in sys.argv[1:]]
keywords = {keyword for rule in RULES for keyword in rule[3].split()}
pumps += [[keyword, ""] for keyword in keywords]
for begin, more in pumps:
    mask_secrets(begin + more * 20_000 if more else begin * 4_000, redactions)
"""


def test_redaction_takes_linear_time() -> None:
    """Without the window, which is what makes worse than linear time visible."""
    pumps = [f"{begin}|{more}" for begin, more in PUMPED]
    subprocess.run(
        [sys.executable, "-c", PUMP, *pumps],
        cwd=Path(__file__).parent,
        check=True,
        timeout=HANG_SECONDS,
    )


def test_handles_values_that_are_not_text() -> None:
    class Odd(str):
        def __len__(self) -> int:
            raise RuntimeError("no length")

    class Error(Exception):
        def __str__(self) -> str:
            return Odd("x")

    assert redact(Error()) == "<unprintable error>"
