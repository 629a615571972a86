"""The GitLab template: the script of its job, run as the runner does."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

import comment
import repository
from repository import ROOT, Repository, git, variables

TEMPLATE = ROOT / "ci/gitlab/herald.gitlab-ci.yml"
JOB: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())["herald-review"]


def review(cloned: Repository, **values: str) -> tuple[int, str]:
    """Run the script of the job; return its exit code and log."""
    script = "\n".join(["set -eo pipefail", *JOB["script"]])
    settings = JOB["variables"] | {"CI_PROJECT_DIR": str(cloned.folder)} | values
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=cloned.folder,
        env=variables() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_breaking_change_is_in_the_code_quality_report(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path, project="services/shop")
    base = git(tmp_path / "remote.git", "rev-parse", "main")
    cloned.change("voucher]", "voucher, goodwill]")
    cloned.commit("break consumers")
    code, log = review(
        cloned, HERALD_DIRECTORY="services/shop", CI_MERGE_REQUEST_DIFF_BASE_SHA=base
    )
    assert code == 1, log
    report = json.loads((cloned.folder / "gl-code-quality-report.json").read_text())
    found = [(one["check_name"], one["location"]["path"]) for one in report]
    assert found == [
        ("enum.value_added", "services/shop/contracts/shop.yaml"),
        ("generated.stale", "services/shop/generated/shop_events.py"),
    ]
    shown = comment.read((cloned.folder / "herald-review.md").read_text())
    assert "Herald: 2 of 4 parts failed" in shown.text


def test_merged_result_is_compared_with_the_target_branch(tmp_path: Path) -> None:
    cloned = repository.create(tmp_path)
    main = git(tmp_path / "remote.git", "rev-parse", "main")
    code, log = review(
        cloned,
        CI_MERGE_REQUEST_DIFF_BASE_SHA="0" * 40,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA=main,
    )
    assert code == 0, log
    assert "nothing breaks" in log
    report = (cloned.folder / "gl-code-quality-report.json").read_text()
    assert json.loads(report) == []


def test_reports_are_kept_as_artifacts() -> None:
    artifacts = JOB["artifacts"]
    script = str(JOB["script"])
    for file in (*artifacts["paths"], artifacts["reports"]["codequality"]):
        assert f"=$CI_PROJECT_DIR/{file}" in script
    assert artifacts["when"] == "always"
