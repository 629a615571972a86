"""Folders in which the code of a page is tried: the reader's, and one of modules."""

import ast
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from blocks import ROOT, Block, blocks_of

ORDERS = ROOT / "examples" / "orders" / "contracts"
# Addresses on pages, which are replaced by the cluster of the tests.
ADDRESSES = re.compile(r"(?:localhost|127\.0\.0\.1|kafka-\d):909\d(?:,kafka-\d:909\d)*")


class Workshop:
    """Tries the blocks of one page."""

    def __init__(self, page: Path, folder: Path, servers: str) -> None:
        self.blocks = list(blocks_of(page))
        self.reader = folder / "reader"
        self.modules = folder / "modules"
        self.reader.mkdir()
        self.modules.mkdir()
        self.servers = servers
        self.environment = {
            "HOME": str(folder),
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def command(self, *arguments: str | Path, timeout: float = 60) -> tuple[int, str]:
        """Run a command as the reader would; returns its exit code and output."""
        run = subprocess.run(
            arguments,
            cwd=self.reader,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return run.returncode, run.stdout

    def generate(self) -> None:
        """Write the modules that code imports: of the example, and of the page."""
        contracts: list[Path] = [ORDERS]
        for block in self.blocks:
            if is_contract(block) and "broken" not in block.marks:
                contracts.append(self.modules / f"contract_{block.line}.yaml")
                contracts[-1].write_text(block.text)
        for contract in contracts:
            out = self.modules / "generated"
            code, said = self.command("herald", "generate", contract, "--out", out)
            assert code == 0, said
        (self.modules / "generated" / "__init__.py").touch()

    def program(self, block: Block) -> Path:
        """The file of a block of Python that can be run."""
        path = self.modules / f"line_{block.line}.py"
        path.write_text(ADDRESSES.sub(self.servers, whole(block)))
        return path


def is_contract(block: Block) -> bool:
    """Whether it is a whole contract."""
    return (
        block.language == "yaml"
        and "fragment" not in block.marks
        and re.search(r"^node_type:", block.text, re.MULTILINE) is not None
    )


def whole(block: Block) -> str:
    """A program: the block, in a coroutine where it awaits at its top."""
    try:
        compile(block.text, str(block), "exec", dont_inherit=True)
    except SyntaxError:
        compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        body = textwrap.indent(block.text, "    ")
        head = f"import asyncio\n{block.before}\n"
        return f"{head}\nasync def page() -> None:\n{body}\n\nasyncio.run(page())\n"
    return f"{block.before}\n{block.text}"
