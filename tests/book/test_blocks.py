"""Tests that try the code of all pages as a reader would."""

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from blocks import LANGUAGES, MARKS, PAGES, ROOT, Block, all_blocks, blocks_of
from console import agrees, steps
from workshop import Workshop, is_contract

RUFF = os.environ.get("HERALD_RUFF", "ruff")
OTHERS = [page for page in PAGES if page.parent.name != "reference"]


def pages_with(test: Callable[[Block], bool]) -> list[Path]:
    """Pages with a matching block."""
    return [page for page in OTHERS if any(map(test, blocks_of(page)))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def workshop(page: Path, tmp_path: Path, servers: str) -> Workshop:
    """Workshop of the page, with its modules."""
    workshop = Workshop(page, tmp_path, servers)
    workshop.generate()
    return workshop


def test_every_block_says_what_it_is() -> None:
    blocks = all_blocks()
    wrong = [str(one) for one in blocks if one.language not in LANGUAGES]
    wrong += [str(one) for one in blocks if one.marks - MARKS]
    assert not wrong, "blocks without a known language, or with an unknown mark"
    fences = sum(page.read_text().count("\n```") for page in PAGES)
    assert fences == 2 * len(blocks), "a fence that is not read as a block"


def test_python_is_as_ruff_formats_it(tmp_path: Path, done: Counter[str]) -> None:
    blocks = [block for block in all_blocks() if block.language == "python"]
    files = {}
    for place, block in enumerate(blocks):
        file = tmp_path / f"block_{place}.py"
        file.write_text(block.text)
        files[file.name] = block
    run = subprocess.run(
        [RUFF, "format", "--isolated", "--diff", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = run.stdout + run.stderr
    for written, block in files.items():
        said = said.replace(written, str(block))
    assert run.returncode == 0, said
    done["of Python formatted"] = len(blocks)


@pytest.mark.parametrize("page", pages_with(lambda one: one.is_whole), ids=name)
def test_python_of_a_page_is_typed(workshop: Workshop, done: Counter[str]) -> None:
    blocks = [block for block in workshop.blocks if block.is_whole]
    programs = [workshop.program(block).name for block in blocks]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--scripts-are-modules", *programs],
        cwd=workshop.modules,
        env=os.environ | {"MYPY_CACHE_DIR": str(ROOT / "target" / "mypy-book")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    done["of Python type-checked"] += len(blocks)


@pytest.mark.parametrize("page", pages_with(lambda one: one.is_tried), ids=name)
def test_a_page_can_be_followed(workshop: Workshop, done: Counter[str]) -> None:
    troubles = []
    printed = ""
    for block in workshop.blocks:
        if "output" in block.marks:
            if not agrees(block.text, printed):
                troubles.append(f"{block}: not what was printed:\n{printed}")
            done["of output compared"] += 1
        elif block.is_tried:
            trouble, printed = TRIED[block.language](workshop, block)
            troubles += trouble
            done[f"of {block.language} run or checked"] += 1
    assert not troubles, "\n\n".join(troubles)


Tried = tuple[list[str], str]


def try_console(workshop: Workshop, block: Block) -> Tried:
    """Run the commands of a session, and compare their output."""
    troubles = []
    if block.before:
        code, said = workshop.command("bash", "-ec", block.before)
        assert code == 0, f"{block}: before: {said}"
    servers = "127.0.0.1:1" if "away" in block.marks else workshop.servers
    for command, shown in steps(block.text):
        line = f"export KAFKA_BOOTSTRAP_SERVERS={servers}\n{command}"
        _, said = workshop.command("bash", "-c", line)
        if not agrees(shown, said):
            troubles.append(f"{block}: $ {command}\n{said}")
    return troubles, ""


def try_python(workshop: Workshop, block: Block) -> Tried:
    """Run a program, or the tests in it; keep a named file for later commands."""
    if block.name:
        (workshop.reader / block.name).write_text(block.text)
    program = workshop.program(block)
    run: list[str | Path] = [sys.executable, program]
    if "def test_" in block.text:
        run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        run += ["-o", "asyncio_mode=auto", program]
    code, said = workshop.command(*run)
    return [] if code == 0 else [f"{block}: exit code {code}\n{said}"], said


def try_yaml(workshop: Workshop, block: Block) -> Tried:
    """Check a file with Herald, and keep it if it has a name."""
    if block.name:
        path = workshop.reader / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    scratch = workshop.modules / f"yaml_{block.line}"
    scratch.mkdir()
    if "target" in block.marks:
        folder = scratch / "herald" / "templates" / "own"
        folder.mkdir(parents=True)
        (folder / "target.yaml").write_text(block.text)
        code, said = workshop.command(
            "bash", "-c", f"cd {scratch} && touch herald.yaml && herald templates list"
        )
        good = code == 0 and "own" in said
        return [] if good else [f"{block}: {said}"], ""
    if is_contract(block):
        (scratch / "contract.yaml").write_text(block.text)
    else:
        (scratch / "herald.yaml").write_text(block.text)
        contract = "node_type: effect\nservice_name: a\noperations: [b]\n"
        (scratch / "contract.yaml").write_text(contract)
    code, said = workshop.command(
        "bash", "-c", f"cd {scratch} && herald check contract.yaml"
    )
    wanted = 1 if "broken" in block.marks else 0
    return [] if code == wanted else [f"{block}: exit code {code}\n{said}"], ""


def try_json(workshop: Workshop, block: Block) -> Tried:
    """Read it."""
    json.loads(block.text)
    if block.name:
        (workshop.reader / block.name).write_text(block.text)
    return [], ""


def try_toml(_: Workshop, block: Block) -> Tried:
    """Read it."""
    tomllib.loads(block.text)
    return [], ""


TRIED = {
    "console": try_console,
    "json": try_json,
    "python": try_python,
    "toml": try_toml,
    "yaml": try_yaml,
}


@pytest.mark.parametrize("file", ["contract", "project"])
def test_the_whole_example_of_a_reference_is_clean(
    file: str, tmp_path: Path, servers: str
) -> None:
    workshop = Workshop(ROOT / "docs" / "reference" / f"{file}.md", tmp_path, servers)
    [example] = [block for block in workshop.blocks if block.language == "yaml"]
    assert try_yaml(workshop, example) == ([], "")
    assert is_contract(example) == (file == "contract")
