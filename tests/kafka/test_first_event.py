"""The first event of a user: the commands of the README and the quick start."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from broker import HANG_SECONDS, Broker

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / "target" / "wheels"
BLOCK = re.compile(
    r"^```sh needs-kafka\n(pip install .*?)^```$", re.MULTILINE | re.DOTALL
)


@pytest.mark.skipif(not any(WHEELS.glob("*.whl")), reason=f"no wheel in {WHEELS}")
@pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md"])
def test_five_commands_lead_to_a_verified_event(
    broker: Broker, tmp_path: Path, page: str
) -> None:
    (commands,) = BLOCK.findall((ROOT / page).read_text())
    lines = commands.replace("|\n", "| ").splitlines()
    assert len(lines) == 5
    # Events of other tests may be on the topic of the contract.
    topic = f"{broker.namespace}.order.placed.v1"
    lines.insert(2, f"sed -i s/shop.order.placed.v1/{topic}/ contracts/orders.yaml")
    subprocess.run([sys.executable, "-m", "venv", "venv"], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["bash", "-exo", "pipefail", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{tmp_path}/venv/bin{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(WHEELS),
            "HERALD_NAMESPACE": broker.namespace,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=5 * HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "delivered 1 event" in done.stdout
    assert "1 event, 1 of 9 declared events seen" in done.stdout
