# SPDX-License-Identifier: GPL-3.0-or-later
"""A second run needs no network: made and run where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zkmargin.protocol.home import home

pytestmark = [pytest.mark.slow, pytest.mark.chain, pytest.mark.timeout(3600)]

ALONE = ["unshare", "--map-root-user", "--net"]
_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """What puts a command into a network of its own, of which only the loopback device is up."""
    wrap = [*ALONE, sys.executable, "-c", _LOOPBACK]
    tried = subprocess.run([*wrap, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine gives nobody a network of one's own: {tried.stderr.strip()[-200:]}")
    return wrap


def test_there_is_no_network(alone: list[str]) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    done = subprocess.run([*alone, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in done.stderr


def test_the_set_up_is_found_done(alone: list[str]) -> None:
    if not (home() / "build" / "stamps" / "contracts").exists():
        pytest.skip("nothing was set up here by `make build`: there is no second run")
    done = subprocess.run(
        [*alone, "make", "--no-print-directory", "build"],
        cwd=home(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "set-up:" not in done.stdout


def test_the_demo_runs(alone: list[str], tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("zkmargin")
    arguments = ["--out", tmp_path / "out", "--ticks", "1", "--traders", "4"]
    done = subprocess.run(
        [*alone, program, "demo", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "audit: valid" in done.stdout
