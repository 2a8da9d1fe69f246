# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a whole: its help, its version, and what each subcommand loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import zkmargin
from cli.place import program
from zkmargin.cli.app import COMMANDS, load_command

PACKAGE = Path(zkmargin.__file__).parent
SIDES = ("sequencer", "proving", "chain", "demo", "circuits", "engine", "state", "oracle")


def _loads(*arguments: str) -> set[str]:
    """Subpackages that the program has loaded when a command ends."""
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print(*{name.split('.')[1] for name in sys.modules"
        " if name.startswith('zkmargin.')}, file=sys.stderr))\n"
        "sys.argv[0] = 'zkmargin'\n"
        "from zkmargin.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "--bundle", "none"],
        ["audit", "--rpc", "http://127.0.0.1:1", "--ledger", "0x" + "11" * 20],
        ["audit", "--help"],
    ],
)
def test_the_audit_loads_nothing_of_the_provers_side(arguments: list[str]) -> None:
    loaded = _loads(*arguments)
    assert {"cli", "auditor", "protocol"} <= loaded
    assert loaded & set(SIDES) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["steal"]])
def test_without_a_command_nothing_is_loaded(arguments: list[str]) -> None:
    assert _loads(*arguments) == {"cli", "errors"}


def test_verify_leaves_sequencer_and_chain_alone() -> None:
    assert _loads("verify", "none.json") & {"sequencer", "chain", "demo", "auditor"} == set()


def test_version() -> None:
    said = program("--version")
    assert (said.status, said.out) == (0, f"zkmargin {zkmargin.__version__}\n")


def test_help_names_every_command() -> None:
    said = program("--help")
    assert said.status == 0
    assert all(name in said.out for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_command_is_what_the_list_says(name: str) -> None:
    made = load_command(name)
    assert made.name == name
    first, listed = (made.help or "").split()[:2], COMMANDS[name].split()[:2]
    assert first == listed  # the same verb on the same thing


def test_an_interrupt_while_it_loads_is_quiet() -> None:
    """The interrupt comes with the first import of the command's own module."""
    code = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'zkmargin.cli.audit':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "sys.argv = ['zkmargin', 'audit', '--bundle', 'none']\n"
        "from zkmargin.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
