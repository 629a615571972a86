"""Tests of scripts/package, and of the workflow that calls it."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scripts/package"
WORKFLOW = (ROOT / ".github/workflows/release.yml").read_text()
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"][
    "version"
]
PARTS = (
    "herald/py.typed",
    "herald.dist-info/licenses/THIRD-PARTY-LICENSES.txt",
    "herald.dist-info/sboms/herald.cyclonedx.json",
)


def package(*arguments: object) -> tuple[int, str, str]:
    """Exit code and output of the script."""
    command = [sys.executable, str(PACKAGE), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def library(folder: Path, code: str, *options: str) -> Path:
    """Compiles a shared library."""
    source = folder / "library.c"
    source.write_text(code)
    compiled = folder / "_herald.abi3.so"
    command = ["cc", "-shared", "-fPIC", "-o", str(compiled), str(source), *options]
    subprocess.run(command, check=True)
    return compiled


def wheel(folder: Path, platform: str, compiled: Path, parts: tuple[str, ...]) -> Path:
    built = folder / f"herald_events-1.0-cp311-abi3-{platform}.whl"
    with zipfile.ZipFile(built, "w") as zipped:
        zipped.write(compiled, "herald/_herald.abi3.so")
        for part in parts:
            zipped.writestr(part, "")
    return built


def test_a_wheel_of_an_old_system_passes(tmp_path: Path) -> None:
    compiled = library(tmp_path, "int one(void) { return 1; }")
    built = wheel(tmp_path, "manylinux_2_17_x86_64", compiled, PARTS)
    code, output, error = package("check", built)
    assert (code, error) == (0, "")
    assert output == f"{built.name}: 0.0 MB\n"


def test_a_wheel_that_needs_a_newer_c_library_fails(tmp_path: Path) -> None:
    code = "#include <pthread.h>\nvoid *start(void) { return (void *)pthread_create; }"
    compiled = library(tmp_path, code)
    built = wheel(tmp_path, "manylinux_2_17_x86_64", compiled, PARTS)
    status, _, error = package("check", built)
    assert status == 1
    assert re.fullmatch(
        rf"{re.escape(built.name)}: needs glibc 2\.\d+, and promises 2\.17\n", error
    )


def test_a_wheel_that_needs_another_library_fails(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = library(tmp_path / "other", "int two(void) { return 2; }")
    other = other.rename(other.with_name("libother.so"))
    compiled = library(
        tmp_path,
        "#include <stdlib.h>\nint two(void); void *one(void) { return malloc(two()); }",
        f"-L{other.parent}",
        "-lother",
    )
    built = wheel(tmp_path, "musllinux_1_2_x86_64", compiled, PARTS)
    status, _, error = package("check", built)
    assert status == 1
    assert f"{built.name}: needs libother.so\n" in error
    assert f"{built.name}: needs libc.so.6\n" in error, "that is not musl"


@pytest.mark.parametrize("missing", PARTS)
def test_a_wheel_without_a_part_fails(tmp_path: Path, missing: str) -> None:
    compiled = library(tmp_path, "int one(void) { return 1; }")
    parts = tuple(part for part in PARTS if part != missing)
    built = wheel(tmp_path, "manylinux_2_17_x86_64", compiled, parts)
    status, _, error = package("check", built)
    assert status == 1
    assert "has no " in error


def archive(folder: Path, name: str, binary: Path) -> Path:
    packed = folder / f"{name}.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(binary, f"{name}/herald")
        for part in (
            *("LICENSE", "THIRD-PARTY-LICENSES.txt", "MUSL-COPYRIGHT.txt"),
            "man/herald.1",
            *("completions/herald.bash", "completions/_herald"),
            "completions/herald.fish",
        ):
            tar.add(ROOT / "LICENSE", f"{name}/{part}")
    return packed


def test_an_archive_is_what_binstall_looks_for(tmp_path: Path) -> None:
    compiled = library(tmp_path, "int one(void) { return 1; }", "-nostdlib")
    name = f"herald-{VERSION}-aarch64-unknown-linux-musl"
    built = archive(tmp_path, name, compiled)
    assert package("check", built) == (0, f"{built.name}: 0.0 MB\n", "")

    renamed = archive(
        tmp_path, f"herald-v{VERSION}-x86_64-unknown-linux-musl", compiled
    )
    status, _, error = package("check", renamed)
    assert status == 1
    assert f"{renamed.name}: is not what cargo binstall downloads, " in error
    assert f"{renamed.name}: has no herald-{VERSION}-" in error


def test_an_archive_with_a_dynamic_command_fails(tmp_path: Path) -> None:
    compiled = library(
        tmp_path, "#include <stdlib.h>\nvoid *one(void) { return malloc(1); }"
    )
    built = archive(tmp_path, f"herald-{VERSION}-x86_64-unknown-linux-musl", compiled)
    status, _, error = package("check", built)
    assert (status, error) == (1, f"{built.name}: needs libc.so.6\n")


def test_sums_are_those_of_files_and_their_components(tmp_path: Path) -> None:
    built = tmp_path / "herald_events-1.0-cp311-abi3-musllinux_1_2_x86_64.whl"
    built.write_text("a wheel")
    components = tmp_path / f"{built.name}.cdx.json"
    status, _, error = package("sums", built)
    assert status == 1
    assert error.startswith(f"{components.name} is missing: ")

    components.write_text("{}")
    assert package("sums", built)[::2] == (0, "")
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{built.name}: OK\n{components.name}: OK\n"


def test_licences_are_those_of_every_target() -> None:
    licences = (ROOT / "scripts/licenses").read_text()
    for target in set(re.findall(r"target: ([a-z0-9_-]+)", WORKFLOW)):
        if "universal2" not in target:
            assert f'"{target}"' in licences


def test_notes_are_those_of_the_version_in_the_manifest() -> None:
    status, _, error = package("notes", "v99.0.0")
    assert status == 1
    assert error == f"99.0.0 is not the version in Cargo.toml, {VERSION}\n"


def test_a_release_needs_the_address_of_its_archives() -> None:
    has_address = "\nrepository" in (ROOT / "crates/cli/Cargo.toml").read_text()
    _, _, error = package("notes", f"v{VERSION}")
    assert ("has no `repository`" in error) is not has_address


def test_unknown_targets_are_named() -> None:
    for action in ("wheel", "command", "tools"):
        status, _, error = package(action, "sparc-unknown-linux-gnu")
        assert status == 1
        assert error.startswith("sparc-unknown-linux-gnu is not one of ")


def test_the_workflow_builds_each_target_by_what_the_script_has() -> None:
    text = PACKAGE.read_text()
    targets = set(re.findall(r'"([a-z0-9_]+-(?:unknown|apple|pc)-[a-z-]+)"', text))
    targets.add("universal2-apple-darwin")
    # By `make platforms`, which builds nothing.
    targets.remove("x86_64-pc-windows-gnu")
    assert set(re.findall(r"target: ([a-z0-9_-]+)", WORKFLOW)) == targets
    actions = set(re.findall(r"scripts/package (\w+)", WORKFLOW))
    assert actions == {"notes", "tools", "wheel", "command", "check", "try", "sums"}


def test_the_workflow_runs_no_text_of_its_trigger_as_a_command() -> None:
    commands = re.findall(r"run: (.*)", WORKFLOW)
    assert len(commands) > 10
    assert not [command for command in commands if "${{" in command]


def test_the_workflows_run_actions_of_a_fixed_commit() -> None:
    for workflow in (ROOT / ".github/workflows").iterdir():
        used = re.findall(r"uses: (.*)", workflow.read_text())
        assert used
        assert not [
            it for it in used if not re.search(r"@[0-9a-f]{40} # v[0-9.]+$", it)
        ]
