"""The hooks of .pre-commit-hooks.yaml, run by pre-commit itself."""

import shutil
import sys
from pathlib import Path

import pytest

import repository
from repository import ROOT, Repository, Result, git, run

HOOKS = ["herald-check", "herald-generate", "herald-lock", "herald-breaking"]


@pytest.fixture
def cloned(tmp_path: Path) -> Repository:
    """A repository whose configuration names the hooks at a commit."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    git(hooks, "init", "--quiet")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    git(hooks, "add", ".")
    git(hooks, "commit", "--quiet", "--message", "hooks")
    commit = git(hooks, "rev-parse", "HEAD")
    cloned = repository.create(tmp_path)
    cloned.herald("lock")
    lines = [f"repos: [{{repo: {hooks.as_uri()}, rev: {commit}, hooks: ["]
    lines += [f"  {{id: {hook}}}," for hook in HOOKS] + ["]}]"]
    cloned.write(".pre-commit-config.yaml", "\n".join(lines) + "\n")
    cloned.commit("use the hooks")
    return cloned


def hook(cloned: Repository, name: str, *options: str) -> Result:
    """Run a hook over all files."""
    pre_commit = [sys.executable, "-m", "pre_commit", "run", name, "--all-files"]
    home = str(cloned.folder.parent / "pre-commit")
    return run(cloned.folder, *pre_commit, *options, PRE_COMMIT_HOME=home)


def test_hooks_pass_without_a_change(cloned: Repository) -> None:
    for name in HOOKS[:-1]:
        done = hook(cloned, name)
        assert done.code == 0, done.output
        assert "Passed" in done.output


def test_lint_error_fails_the_commit(cloned: Repository) -> None:
    cloned.change("effect", "efect")
    done = hook(cloned, "herald-check")
    assert done.code == 1
    assert "error[kind.unknown]" in done.output


def test_stale_files_fail_the_commit(cloned: Repository) -> None:
    cloned.change("voucher]", "voucher, goodwill]")
    for name in ("herald-generate", "herald-lock"):
        done = hook(cloned, name)
        assert done.code == 1
        assert "goodwill" in done.output


def test_breaking_change_fails_the_push(cloned: Repository) -> None:
    git(cloned.folder, "push", "--quiet", "origin", "HEAD")
    git(cloned.folder, "remote", "set-head", "origin", "change")
    stage = ("--hook-stage", "pre-push")
    done = hook(cloned, "herald-breaking", *stage)
    assert done.code == 0, done.output
    cloned.change("voucher]", "voucher, goodwill]")
    done = hook(cloned, "herald-breaking", *stage)
    assert done.code == 1
    assert "error[enum.value_added]" in done.output


def test_breaking_changes_are_not_judged_at_a_commit(cloned: Repository) -> None:
    cloned.change("voucher]", "voucher, goodwill]")
    done = run(
        cloned.folder,
        sys.executable,
        "-m",
        "pre_commit",
        "run",
        "--all-files",
        PRE_COMMIT_HOME=str(cloned.folder.parent / "pre-commit"),
    )
    assert "herald breaking" not in done.output
