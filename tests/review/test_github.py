"""The GitHub Action: the scripts of action.yml, run as the runner does."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import comment
import repository
from repository import HOSTILE, ROOT, Repository, git, variables

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())


@dataclass
class Job:
    """Result of a step on GitHub."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[str]:
        """The lines of the log that the runner acts upon."""
        active, token = [], None
        for line in self.log.splitlines():
            if token is not None:
                token = None if line == f"::{token}::" else token
            elif line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::") or "##[" in line:
                active.append(line)
        assert token is None
        return active


def step(name: str) -> dict[str, Any]:
    """Return a step of the action."""
    (found,) = [one for one in ACTION["runs"]["steps"] if one["id"] == name]
    return dict(found)


def run_step(name: str, folder: Path, place: Path, **values: str) -> Job:
    """Run the script of a step in bash with GitHub's options."""
    one = step(name)
    assert set(values) == set(one["env"])
    temporary = place / "runner"
    temporary.mkdir(exist_ok=True)
    files = {
        name: temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    for file in files.values():
        file.write_text("")
    script = temporary / "script.sh"
    script.write_text(one["run"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=folder,
        env=variables()
        | values
        | {name: str(file) for name, file in files.items()}
        | {"RUNNER_TEMP": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    return Job(
        done.returncode,
        done.stdout,
        dict(line.split("=", 1) for line in lines),
        files["GITHUB_STEP_SUMMARY"].read_text(),
    )


def review(cloned: Repository, base: str = "main", **values: str) -> Job:
    """Run the step that reviews the checked out commit."""
    settings = {"HERALD": "herald", "BASE": base, "TOPICS": "false", "STRICT": "false"}
    place = cloned.folder.parent
    return run_step("review", cloned.project, place, **settings | values)


def test_change_without_problems_passes(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    job = review(cloned)
    assert job.code == 0, job.log
    assert job.commands == []
    assert job.summary.startswith(f"{comment.MARKER}\n### Herald: no problems\n")
    assert Path(job.outputs["summary"]).read_text() == job.summary


def test_breaking_change_and_stale_file_are_annotated(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path, project="services/shop")
    cloned.change("voucher]", "voucher, goodwill]")
    cloned.commit("break consumers")
    job = review(cloned)
    assert job.code == 1, job.log
    breaking, stale = job.commands
    assert breaking.startswith(
        "::error file=services/shop/contracts/shop.yaml,line=10,col="
    )
    assert "title=enum.value_added" in breaking
    assert stale.startswith("::error file=services/shop/generated/shop_events.py,line=")
    assert "title=generated.stale" in stale
    shown = comment.read(job.summary)
    assert "Herald: 2 of 4 parts failed" in shown.text
    for code in ("enum.value_added", "git:origin/main", "herald generate"):
        assert code in shown.code


def test_lint_error_is_annotated_and_the_rest_is_skipped(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    cloned.change("effect", "efect")
    cloned.commit("misspell the kind")
    job = review(cloned)
    assert job.code == 1, job.log
    (annotation,) = job.commands
    assert annotation.startswith("::error file=contracts/shop.yaml,line=1,col=12,")
    assert "did you mean `effect`?" in annotation
    assert "contracts have errors" in comment.read(job.summary).text


def test_event_that_is_removed_is_annotated_in_the_file_it_was_in(
    tmp_path: Path,
) -> None:
    cloned = repository.create(tmp_path)
    removed = "      reason: {type: string}\n"
    cloned.change(removed, "")
    cloned.herald("generate")
    cloned.commit("remove a field")
    job = review(cloned)
    assert job.code == 1, job.log
    assert all(
        line.startswith("::error file=contracts/shop.yaml,") for line in job.commands
    )


def test_first_contracts_have_nothing_to_compare_with(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    git(cloned.folder, "checkout", "--quiet", "--orphan", "empty")
    git(cloned.folder, "rm", "--quiet", "-r", "--cached", ".")
    git(cloned.folder, "commit", "--quiet", "--allow-empty", "--message", "empty")
    git(cloned.folder, "push", "--quiet", "origin", "empty")
    git(cloned.folder, "checkout", "--quiet", "--force", "change")
    job = review(cloned, base="empty")
    assert job.code == 0, job.log
    assert "there are no contracts in" in job.summary


def test_base_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    job = review(cloned, base="nowhere")
    assert job.code == 2
    assert "couldn't find remote ref" in job.log
    (error,) = job.commands
    assert error.startswith("::error title=herald review::")
    assert job.outputs == {}


def test_complete_clone_stays_complete(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    git(cloned.folder, "fetch", "--quiet", "--unshallow")
    job = review(cloned)
    assert job.code == 0, job.log
    assert git(cloned.folder, "rev-parse", "--is-shallow-repository") == "false"


def test_warnings_fail_a_strict_review_only(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    cloned.change(
        "reason: {type: string}", "reason: {type: string, example: x, nmae: y}"
    )
    cloned.commit("unknown key")
    codes = [review(cloned, STRICT=strict).code for strict in ("false", "true")]
    assert codes in ([0, 1], [1, 1])


def test_topics_need_a_cluster(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    job = review(cloned, TOPICS="true")
    assert job.code == 2
    assert "no cluster is configured" in comment.read(job.summary).text


@pytest.mark.parametrize("place", ["event_type", "enum", "key", "path"])
def test_text_of_a_contract_is_not_acted_upon(tmp_path: Path, place: str) -> None:
    cloned = repository.create(tmp_path)
    quoted = HOSTILE.replace("'", "''")
    if place == "event_type":
        cloned.change("event_type: goods.returned", f"event_type: '{quoted}'")
    elif place == "enum":
        cloned.change("voucher]", f"voucher, '{quoted}']")
    elif place == "key":
        cloned.change("reason: ", f"'{quoted}': ")
    else:
        name = "contracts/##[add-path] @everyone ::error::, <b>.yaml"
        cloned.write(name, "node_type: efect\nservice_name: a\noperations: []\n")
    cloned.commit("hostile")
    job = review(cloned)
    assert job.code == 1, job.log
    for command in job.commands:
        # Only in a line without such a begin, the runner looks for `##[`.
        assert re.match(r"::(error|warning|notice) file=", command), command
        # Nothing of the contract ends the properties.
        properties, _ = command.removeprefix("::").split("::", 1)
        assert "title=" in properties
    text = comment.read(job.summary).text
    for part in ("@everyone", "#1", "<", "evil", "##["):
        assert part not in text


def test_names_of_branches_are_not_acted_upon(tmp_path: Path) -> None:
    base = "x$(touch${IFS}evil)`touch${IFS}evil`;touch${IFS}evil@everyone<b>"
    cloned = repository.create(tmp_path, base=base)
    cloned.change("voucher]", "voucher, goodwill]")
    cloned.herald("generate")
    cloned.commit("break consumers")
    job = review(cloned, base=base)
    assert job.code == 1, job.log
    assert len(job.commands) == 1
    assert list(tmp_path.rglob("evil*")) == []
    assert "@everyone" not in comment.read(job.summary).text


def test_scripts_contain_no_expressions() -> None:
    for one in ACTION["runs"]["steps"]:
        assert "${{" not in one["run"]


def test_version_is_installed_into_an_environment_of_its_own(tmp_path: Path) -> None:
    # An index without packages: the requirement is what is asked for.
    values = {"VERSION": "1.2.3"}
    (tmp_path / "index").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        (tmp_path / ".config/pip").mkdir(parents=True)
        (tmp_path / ".config/pip/pip.conf").write_text(
            f"[global]\nno-index = true\nfind-links = {tmp_path / 'index'}\n"
        )
        job = run_step("install", tmp_path, tmp_path, **values)
    assert job.code == 1
    assert "herald-events==1.2.3" in job.log
