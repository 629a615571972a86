"""Tests of scripts/words: each rule with texts that break it and texts that keep it."""

import subprocess
import sys
from pathlib import Path

import pytest

WORDS = Path(__file__).parents[2] / "scripts" / "words"


def run(*arguments: str | Path) -> tuple[int, list[str]]:
    """Exit code and printed lines of the script."""
    done = subprocess.run(
        [sys.executable, WORDS, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def check(folder: Path, name: str, text: str) -> list[str]:
    """Violations of one file, as `line: kind: found`."""
    file = folder / name
    file.write_text(text)
    code, lines = run(file)
    assert code == (1 if lines else 0)
    return [line.removeprefix(f"{file}:").partition("; write")[0] for line in lines]


BAD = [
    ("a.rs", "//! What a spool is.\n", "1: headline: 'What a spool is.'"),
    ("a.rs", "fn a() {}\n\n/// How it ends.\nfn b() {}\n", "3: headline"),
    ("a.rs", "/// Which of them\n/// is first.\nfn b() {}\n", "1: headline"),
    ("a.rs", "/// The same for bytes.\nfn b() {}\n", "1: headline"),
    ("a.rs", "/// As written.\nfn b() {}\n", "1: headline"),
    ("a.rs", "/// Code.\n/// It is no name.\nfn b() {}\n", "2: word: 'is no'"),
    ("a.rs", "/// The name is\n/// no name.\nfn b() {}\n", "1: word: 'is no'"),
    ("a.rs", 'const A: &str = "the name is no name";\n', "1: word: 'is no'"),
    ("a.rs", 'const A: &str = "a\\\n    node announces";\n', "2: word: 'announces'"),
    ("a.rs", 'const A: &str = r#"the "spool" says"#;\n', "1: word: 'says'"),
    ("a.rs", "const MOST_ROWS: usize = 3;\n", "1: name: 'MOST_ROWS'"),
    ("a.rs", "let c = '\"'; // no findings\n", "1: word: 'findings'"),
    ("a.py", '"""Who reads."""\n', "1: headline: 'Who reads.'"),
    ("a.py", 'def a() -> None:\n    """Where it is."""\n', "2: headline"),
    ("a.py", 'class A:\n    b: int\n    """Who has it."""\n', "3: headline"),
    ("a.py", "A = f'{1} is no name'\n", "1: word: 'is no'"),
    ("a.py", "LEAST_ROWS = 1\n", "1: name: 'LEAST_ROWS'"),
    ("a.py", "x = 1  # the figures\n", "1: word: 'figures'"),
    ("a.jinja", "{# What is printed. #}\n", "1: headline"),
    ("a.jinja", '{{ a }}\n"""How it runs."""\n', "2: headline"),
    ("a.jinja", "# {{ a }} announces it\n", "1: word: 'announces'"),
    ("a.md", "# What is not obvious\n", "1: heading: 'What is not obvious'"),
    ("a.md", "# Runs\n\n## A fault is found\n", "3: heading"),
    ("a.md", "A [node](a.md)\nannounces.\n", "2: word: 'announces'"),
    ("Makefile", "a: ## what a says\n", "1: word: 'says'"),
]


@pytest.mark.parametrize(("name", "text", "expected"), BAD)
def test_reports_a_violation(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    found = check(tmp_path, name, text)
    assert len(found) == 1
    assert found[0].startswith(expected)


GOOD = [
    ("a.rs", "//! Bounded limiter for in-flight events.\n"),
    ("a.rs", "/// Returns the key.\n///\n/// What it needs: nothing.\nfn b() {}\n"),
    ("a.rs", "/// Whether the spool is open.\nfn b() {}\n"),
    ("a.rs", "/// As-written form of a node.\nfn b() {}\n"),
    ("a.rs", "// What follows needs the lock.\nfn b() {}\n"),
    ("a.rs", "/// There is no row.\nfn b() {}\n"),
    ("a.rs", "/// It is no longer there.\nfn b() {}\n"),
    ("a.rs", "/// Calls `announces`.\nfn b() {}\n"),
    ("a.rs", "/// Example.\n/// ```\n/// let says = 1;\n/// ```\nfn b() {}\n"),
    ("a.rs", 'const A: &str = "`{x}` is not a valid name";\n'),
    ("a.rs", "fn a<'a>(b: &'a str) -> char { '\"' }\n/// A name.\nfn c() {}\n"),
    ("a.rs", "const MAX_ROWS: usize = 3;\n"),
    ("a.py", '"""Reader of contracts."""\n'),
    ("a.py", 'A = "What a name"\n'),
    ("a.py", "MIN_ROWS = 1\n"),
    ("a.jinja", "{# Header of a module. #}\n{{ says }}\n"),
    ("a.md", "# Delivery guarantees\n\nIt publishes; there is no loss.\n"),
    ("a.md", "# How it works\n"),
    ("a.md", "```text\nthe spool says\n```\n"),
    ("a.md", "A name of letters, digits and `_`.\n"),
    ("a.txt", "It says what is no name.\n"),
]


@pytest.mark.parametrize(("name", "text"), GOOD)
def test_accepts_plain_words(tmp_path: Path, name: str, text: str) -> None:
    assert check(tmp_path, name, text) == []


def test_prints_place_word_and_replacement(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("\nA node announces.\n")
    assert run(file) == (1, [f"{file}:2: word: 'announces'; write: publish"])


def test_count_exits_with_0(tmp_path: Path) -> None:
    file = tmp_path / "a.rs"
    file.write_text("//! What it is.\nfn a() {}\n")
    code, lines = run("--count", file)
    assert code == 0
    assert [line.split() for line in lines[:2]] == [
        ["headline", "violations", "1"],
        ["heading", "violations", "0"],
    ]
