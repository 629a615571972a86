"""Scratch repositories: a remote one, and a clone of a branch of it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERALD = Path(os.environ["HERALD_BIN"])
ROOT = Path(__file__).parents[2]

CONTRACT = """\
node_type: effect
service_name: shop
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: goods.returned
    topic: shop.goods.returned.v1
    payload:
      kind: {type: string, enum: [refund, voucher]}
      reason: {type: string}
"""

# Text that a service could act upon; `##[` is a command of GitHub's runner anywhere
# in a line.
HOSTILE = (
    "::error::x ##[add-path]/evil @everyone #1 <img src=//evil> "
    "[a](http://evil.example)"
)


@dataclass
class Result:
    """Exit code and output of a command."""

    code: int
    output: str


def run(folder: Path, *arguments: str | Path, **environment: str) -> Result:
    """Run a command, with both of its outputs together."""
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=variables() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout)


def variables() -> dict[str, str]:
    """Environment of a runner, with the tested `herald` on the PATH."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return kept | {
        "PATH": f"{HERALD.parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@localhost",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@localhost",
    }


def git(folder: Path, *arguments: str | Path) -> str:
    """Run git, and fail with its output."""
    done = run(folder, "git", *arguments)
    assert done.code == 0, done.output
    return done.output.strip()


@dataclass
class Repository:
    """A clone whose branch is checked out, as in CI."""

    folder: Path
    # Folder of the project in the clone.
    project: Path

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def change(self, old: str, new: str) -> None:
        """Replace a part of the contract."""
        contract = self.project / "contracts/shop.yaml"
        text = contract.read_text()
        assert old in text
        contract.write_text(text.replace(old, new))

    def herald(self, *arguments: str) -> None:
        """Run a command that has to succeed."""
        done = run(self.project, HERALD, *arguments)
        assert done.code == 0, done.output

    def commit(self, message: str) -> str:
        """Commit everything, and return the commit."""
        git(self.folder, "add", ".")
        git(self.folder, "commit", "--quiet", "--message", message)
        return git(self.folder, "rev-parse", "HEAD")


def create(folder: Path, *, project: str = "", base: str = "main") -> Repository:
    """Create a remote repository with a contract, and a shallow clone of a branch."""
    first = folder / "first"
    first.mkdir()
    git(first, "init", "--quiet", f"--initial-branch={base}")
    seed = Repository(first, first / project)
    seed.write("herald.yaml", "contracts: [contracts]\n")
    seed.write("contracts/shop.yaml", CONTRACT)
    seed.herald("generate")
    seed.commit("first")
    git(first, "checkout", "--quiet", "-b", "change")
    seed.write("README.md", "A shop.\n")
    seed.commit("second")
    git(first, "clone", "--quiet", "--bare", ".", folder / "remote.git")
    # As `actions/checkout` does: one commit of one branch.
    clone = folder / "clone"
    remote = (folder / "remote.git").as_uri()
    git(folder, "clone", "--quiet", "--depth=1", "--branch=change", remote, clone)
    return Repository(clone, clone / project)
