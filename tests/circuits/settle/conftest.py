# SPDX-License-Identifier: GPL-3.0-or-later
"""The settle circuit with room for three touches, and ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from circuits.judge import Judge, judge_of
from circuits.settle.forge import Forgery
from circuits.settle.world import World
from zkmargin.protocol.model import Touch

TOUCHES = 3


@pytest.fixture(scope="session")
def judge() -> Judge:
    return judge_of("settle", "small", TOUCHES)


@pytest.fixture
def world() -> World:
    return World()


Accept = Callable[..., list[int]]
Refuse = Callable[..., None]


@pytest.fixture
def accept(judge: Judge, world: World) -> Accept:
    """Ask whether an honest batch is accepted; forging it from its touches must give the same inputs."""

    def ask(*operations: list[Touch]) -> list[int]:
        batch = world.batch(*operations, touches=TOUCHES)
        forged = Forgery(world, TOUCHES)
        for operation in operations:
            for touch in operation:
                forged.add(touch)
        assert forged.inputs() == batch.inputs
        return judge.accepts(batch.inputs)

    return ask


@pytest.fixture
def refuse(judge: Judge, world: World) -> Refuse:
    """Ask whether forged touches are refused, at lines that contain the given texts."""

    def ask(touches: list[Touch], *because: str, **after: Any) -> None:
        forged = Forgery(world, TOUCHES)
        for touch in touches:
            forged.add(touch, **(after if touch is touches[0] else {}))
        judge.refuses(forged.inputs(), *because)

    return ask
