# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of circuits: main files, profiles, sources that are really there."""

from __future__ import annotations

import pytest

from zkmargin.circuits.registry import circuit, circuits, names, profiles
from zkmargin.circuits.sources import gather
from zkmargin.errors import UsageError
from zkmargin.protocol.constants import load


@pytest.mark.parametrize("profile", profiles())
@pytest.mark.parametrize("name", names())
def test_main_file(name, profile):
    made = circuit(name, profile)
    shape = load().profile(profile)
    levels = (shape.block_levels, shape.top_levels)
    arguments = {
        "settle": ("Settle", shape.touches, shape.instruments, *levels),
        "tick": ("Tick", shape.oracles, shape.instruments, shape.quorum),
        "sweep": ("Sweep", shape.sweep_pages, shape.instruments, *levels),
        "regroup": ("Regroup", shape.regroup_pages, *levels),
        "carry": ("Carry", shape.carry_blocks, *levels, shape.instruments, shape.anchors),
        "coverage": ("Coverage", *reversed(levels), shape.instruments, shape.anchors),
    }[name]
    units = {"settle": shape.touches, "tick": shape.oracles, "sweep": 64 * shape.sweep_pages}
    units |= {"regroup": 64 * shape.regroup_pages, "carry": shape.carry_blocks * shape.block_pages}
    template, *numbers = arguments
    call = f"{template}({', '.join(map(str, numbers))});"
    assert f"component main {{public [C, r, y]}} = {call}" in made.main_source()
    assert made.units == units.get(name, shape.blocks)


@pytest.mark.parametrize(
    ("name", "units"), [("sweep", 65), ("regroup", 65), ("carry", 9), ("coverage", 9), ("coverage", 0)]
)
def test_units_there_can_not_be(name, units):
    with pytest.raises(UsageError, match="units"):
        circuit(name, "small", units)


def test_units_can_be_changed():
    changed = circuit("settle", "small", units=2)
    assert changed.arguments[0] == changed.units == 2
    assert changed.arguments[1:] == circuit("settle", "small").arguments[1:]


@pytest.mark.parametrize(
    "made", [made for profile in profiles() for made in circuits(profile)], ids=lambda c: c.key
)
def test_sources_are_found(made):
    texts = gather(made).texts
    assert "generated/constants.circom" in texts
    assert f"0/{made.source}" in texts


@pytest.mark.parametrize(("name", "profile"), [("swap", "small"), ("settle", "huge")])
def test_unknown_names(name, profile):
    with pytest.raises(UsageError, match=r"there is no (circuit|profile)"):
        circuit(name, profile)
