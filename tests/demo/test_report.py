# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo says while it runs: plain lines elsewhere than on a terminal, a bar on one, no silence."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable

import pytest

from zkmargin.demo import report
from zkmargin.demo.report import Progress


class _Stream(io.StringIO):
    """Standard output that calls back at each write."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal
        self.heard: Callable[[str], None] = lambda text: None

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        done = super().write(text)
        self.heard(self.getvalue())
        return done


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], _Stream]:
    """Makes standard output a stream of a test's own, for the test itself."""

    def change(terminal: bool) -> _Stream:
        made = _Stream(terminal)
        monkeypatch.setattr(sys, "stdout", made)
        return made

    return change


To = Callable[[bool], _Stream]


def test_a_step_elsewhere_is_told_at_its_end(to: To) -> None:
    stream = to(False)
    progress = Progress()
    for done in range(1, 101):
        progress.step("proofs", done, 100)
    lines = stream.getvalue().splitlines()
    assert lines[-1].endswith("] proofs: 100/100")
    assert len(lines) < 100
    assert "\r" not in stream.getvalue()


def test_a_step_on_a_terminal_is_a_bar(to: To) -> None:
    stream = to(True)
    progress = Progress()
    progress.step("proofs", 1, 3)
    progress.step("proofs", 3, 3)
    assert "[##########--------------------] proofs: 1/3" in stream.getvalue()
    assert "[##############################] proofs: 3/3" in stream.getvalue()
    assert "\n" not in stream.getvalue()


def test_what_takes_long_is_named_again(to: To, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were nothing said, this would run out of time."""
    stream = to(False)
    monkeypatch.setattr(report, "_EVERY", 0.0)
    said = threading.Event()
    stream.heard = lambda text: said.set() if "... deploying" in text else None
    with Progress() as progress:
        progress.line("node is up", doing="deploying")
        assert said.wait(60)
    assert "] ... deploying" in stream.getvalue()
