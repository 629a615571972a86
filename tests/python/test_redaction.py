"""Secrets in the texts of errors."""

import time

import pytest

from harness import load

redact = load("orders_events").redact_secrets

SECRET = "hunter2-Zq9"

MASKED = {
    f"password={SECRET}": "password=***",
    f"password: {SECRET}": "password: ***",
    f"PASSWORD = {SECRET} user=bob": "PASSWORD = *** user=bob",
    f"db_password={SECRET}&user=bob": "db_password=***&user=bob",
    f"Server=db;Password={SECRET};Database=x": "Server=db;Password=***;Database=x",
    f"passwd='{SECRET} with spaces' rest": "passwd=*** rest",
    f'{{"password": "{SECRET}", "user": "bob"}}': '{"password": ***, "user": "bob"}',
    f"{{'api_key': '{SECRET}', 'n': 1}}": "{'api_key': ***, 'n': 1}",
    f'{{\\"token\\": \\"{SECRET}\\", \\"n\\": 1}}': '{\\"token\\": ***, \\"n\\": 1}',
    f'"secret": "a\\"{SECRET}" rest': '"secret": *** rest',
    f'password="{SECRET} is cut': "password=***",
    f"client_secret={SECRET}, retrying": "client_secret=*** retrying",
    f"AWS_SECRET_ACCESS_KEY={SECRET}": "AWS_SECRET_ACCESS_KEY=***",
    f"x-api-key: {SECRET}": "x-api-key: ***",
    f"apikey={SECRET}": "apikey=***",
    f"access_key={SECRET}": "access_key=***",
    f"sasl.password={SECRET}": "sasl.password=***",
    f"credentials={SECRET}": "credentials=***",
    f"private_key: {SECRET}": "private_key: ***",
    f'environ["DB_PASSWORD"]="{SECRET}"': 'environ["DB_PASSWORD"]=***',
    f"Authorization: Bearer {SECRET}": "Authorization: ***",
    f"authorization: Basic {SECRET}\nHost: x": "authorization: ***\nHost: x",
    f"{{'Authorization': 'Bearer {SECRET}', 'n': 1}}": "{'Authorization': ***, 'n': 1}",
    f"Authorization: AWS4 Credential=x, Signature={SECRET}": "Authorization: ***",
    f"rejected bearer {SECRET}.x_y-z/+= twice": "rejected bearer *** twice",
    f"sent Basic {SECRET} twice": "sent Basic *** twice",
    f"postgres://bob:{SECRET}@db:5432/x": "postgres://***@db:5432/x",
    f"amqp://bob:p@ss/{SECRET}@mq/x": "amqp://***@mq/x",
    f"redis://:{SECRET}@cache": "redis://***@cache",
    f"https://{SECRET}@github.com/x": "https://***@github.com/x",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY----- x": (
        "*** x"
    ),
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}": "***",
    "charged sk_live_abcdefgh12 once": "charged *** once",
    "card 1111 2222 3333 4444 refused": "card *** refused",
}


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert redact(ValueError(text)) == masked
    assert SECRET not in redact(f"before {text} after")


@pytest.mark.parametrize(
    "text",
    [
        "connection refused: http://localhost:9092/topics",
        "Basic authentication failed",
        "topic orders.v1, partition 3: leader not available",
        "wrong password for user bob",
        "mail to bob@example.org bounced",
        "",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert redact(text) == text


def test_long_texts_end_after_a_word() -> None:
    text = redact("word " * 1000)
    assert text.endswith("word [...]")
    assert len(text) <= 2_010


def test_a_secret_is_not_shown_by_the_cut() -> None:
    for length in range(1980, 2001):
        text = "x " * (length // 2) + f"postgres://bob:{SECRET}@db"
        assert "hunter" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "password=" * 400,
        'password="' * 400,
        "password=" + "a,;&" * 500,
        "token" * 400,
        "token." + "a-" * 1000 + "=",
        "://" * 700,
        "://a:" * 400,
        "://" + "a" * 2000,
        "bearer " * 300,
        "basic " + "a" * 2000,
        "-----BEGIN PRIVATE KEY-----" * 80,
        "-----BEGIN " + "A " * 1000,
        'authorization:"' + "\\" * 2000,
        "authorization " * 150,
        "\\" * 2000,
        "x" * 10_000_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    begin = time.perf_counter()
    redact(text)
    assert time.perf_counter() - begin < 0.1


def test_a_text_that_is_none_is_no_failure() -> None:
    class Odd(str):
        def __len__(self) -> int:
            raise RuntimeError("no length")

    class Error(Exception):
        def __str__(self) -> str:
            return Odd("x")

    assert redact(Error()) == "<unprintable error>"
