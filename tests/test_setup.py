# SPDX-License-Identifier: GPL-3.0-or-later
"""The set-up: steps run once, resume after a failure, name what a machine lacks; locks pin everything."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from zkmargin.protocol.home import home

ROOT = home()


def _stamp(folder: Path, *command: str, output: str = "out") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools" / "stamp", "step", output, "input", "--", *command],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a").write_text("1")
    return tmp_path


RUN = ("sh", "-c", "echo x >> log; touch out")


def runs(folder: Path) -> int:
    log = folder / "log"
    return len(log.read_text().split()) if log.exists() else 0


def test_a_step_runs_once(folder):
    assert "set-up: step" in _stamp(folder, *RUN).stdout
    assert _stamp(folder, *RUN).stdout == ""
    assert runs(folder) == 1


@pytest.mark.parametrize("change", ["content", "new file", "renamed", "output gone", "command"])
def test_a_step_runs_again_when_it_has_to(folder, change):
    _stamp(folder, *RUN)
    command = RUN
    if change == "content":
        (folder / "input" / "a").write_text("2")
    elif change == "new file":
        (folder / "input" / "b").write_text("1")
    elif change == "renamed":
        (folder / "input" / "a").rename(folder / "input" / "c")
    elif change == "output gone":
        (folder / "out").unlink()
    else:
        command = (*RUN, "more")
    assert _stamp(folder, *command).returncode == 0
    assert runs(folder) == 2


def test_a_failed_step_says_so_and_runs_again(folder):
    done = _stamp(folder, "sh", "-c", "touch out; exit 7")
    assert done.returncode == 7
    assert "step 'step' failed" in done.stderr
    assert _stamp(folder, *RUN).returncode == 0
    assert runs(folder) == 1


def _check(tmp_path: Path, tools: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the platform check with only `tools` (name -> script) and the shell's own basics on the PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("sh", "uname", "printf"):
        (path / name).symlink_to(shutil.which(name) or "")
    for name, script in tools.items():
        (path / name).unlink(missing_ok=True)
        (path / name).write_text(f"#!/bin/sh\n{script}\n")
        (path / name).chmod(0o755)
    return subprocess.run(
        [ROOT / "tools" / "check_platform"],
        env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


GOOD = {"node": "exit 0", "npm": "exit 0", "g++": "exit 0"}


def test_a_machine_with_everything_passes(tmp_path):
    done = _check(tmp_path, GOOD, PYTHON=sys.executable)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("uname", ['[ "$1" = -s ] && echo Darwin || echo arm64', "echo Linux", "echo x86_64"])
def test_another_platform_is_refused_clearly(tmp_path, uname):
    done = _check(tmp_path, {**GOOD, "uname": uname}, PYTHON=sys.executable)
    assert done.returncode == 3
    assert "zkmargin runs on x86-64 Linux only" in done.stderr


def test_what_is_missing_is_named_at_once(tmp_path):
    done = _check(tmp_path, {"npm": "exit 0"}, PYTHON="python-that-is-not-there")
    assert done.returncode == 3
    for part in (
        "'python-that-is-not-there' not found",
        "'node' not found",
        "'g++' not found",
        "apt install g++",
    ):
        assert part in done.stderr


def test_an_old_node_is_named(tmp_path):
    done = _check(
        tmp_path, {**GOOD, "node": '[ "$1" = --version ] && echo v18.1.0; exit 1'}, PYTHON=sys.executable
    )
    assert done.returncode == 3
    assert "Node.js 20 or later (found v18.1.0)" in done.stderr


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-")


def _lines(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("lock", ["requirements", "requirements-ape", "requirements-cluster"])
def test_python_locks_are_exact_and_complete(lock):
    pinned = {_name(line) for line in _lines(f"{lock}.lock")}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!]+( ;.*)?", line) for line in _lines(f"{lock}.lock"))
    assert {_name(line) for line in _lines(f"{lock}.in")} <= pinned


def test_the_package_asks_for_no_more_than_the_lock_has():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["build-system"]["requires"]
    assert {_name(line) for line in wanted} <= {_name(line) for line in _lines("requirements.in")}


def test_the_npm_lock_names_no_registry_and_has_every_package():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    assert not any("resolved" in entry for entry in lock["packages"].values())
    for name, version in (package["dependencies"] | package["optionalDependencies"]).items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
        assert lock["packages"][f"node_modules/{name}"]["integrity"]
