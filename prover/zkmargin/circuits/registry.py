# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuits by name and profile: main template, arguments, and the unit their size grows with.

The main file of a circuit is generated from this and from `protocol.toml`; nobody writes one by hand.
"""

from __future__ import annotations

from dataclasses import replace

from zkmargin.circuits.circuit import Circuit
from zkmargin.errors import UsageError
from zkmargin.protocol.codegen import circom_constants
from zkmargin.protocol.constants import ARITY, PAGE_SIZE, Profile, load
from zkmargin.toolchain import circomlib, home


def _settle(profile: Profile) -> Circuit:
    return Circuit(
        name="settle",
        profile=profile.name,
        source="settle/settle.circom",
        template="Settle",
        arguments=(profile.touches, profile.instruments, profile.block_levels, profile.top_levels),
        unit="touch",
        units=profile.touches,
    )


def _tick(profile: Profile) -> Circuit:
    return Circuit(
        name="tick",
        profile=profile.name,
        source="tick/tick.circom",
        template="Tick",
        arguments=(profile.oracles, profile.instruments, profile.quorum),
        unit="signer",
        units=profile.oracles,
    )


def _sweep(profile: Profile) -> Circuit:
    return Circuit(
        name="sweep",
        profile=profile.name,
        source="sweep/sweep.circom",
        template="Sweep",
        arguments=(profile.sweep_pages, profile.instruments, profile.block_levels, profile.top_levels),
        unit="account",
        units=profile.sweep_pages * PAGE_SIZE,
    )


def _coverage(profile: Profile) -> Circuit:
    return Circuit(
        name="coverage",
        profile=profile.name,
        source="coverage/coverage.circom",
        template="Coverage",
        arguments=(profile.top_levels, profile.block_levels, profile.instruments, profile.anchors),
        unit="block",
        units=profile.blocks,
    )


def _regroup(profile: Profile) -> Circuit:
    return Circuit(
        name="regroup",
        profile=profile.name,
        source="regroup/regroup.circom",
        template="Regroup",
        arguments=(profile.regroup_pages, profile.block_levels, profile.top_levels),
        unit="account",
        units=profile.regroup_pages * PAGE_SIZE,
    )


def _carry(profile: Profile) -> Circuit:
    return Circuit(
        name="carry",
        profile=profile.name,
        source="carry/carry.circom",
        template="Carry",
        arguments=(
            profile.carry_blocks, profile.block_levels, profile.top_levels, profile.instruments,
            profile.anchors,
        ),
        unit="page",
        units=profile.carry_blocks * profile.block_pages,
    )  # fmt: skip


_MAKERS = {
    "settle": _settle,
    "tick": _tick,
    "sweep": _sweep,
    "coverage": _coverage,
    "regroup": _regroup,
    "carry": _carry,
}


def _resized(profile: Profile, name: str, units: int) -> Profile:
    """The profile with room for other units in one circuit; raises UsageError for a number it can't have."""
    if name == "settle":
        return replace(profile, touches=units)
    if name == "tick":
        return replace(profile, oracles=units)
    if name == "sweep" and units % PAGE_SIZE == 0:
        return replace(profile, sweep_pages=units // PAGE_SIZE)
    if name == "regroup" and units % PAGE_SIZE == 0:
        return replace(profile, regroup_pages=units // PAGE_SIZE)
    if name == "carry" and units % profile.block_pages == 0:
        return replace(profile, carry_blocks=units // profile.block_pages)
    levels = next((n for n in range(1, 7) if ARITY**n == units), None)
    if name == "coverage" and levels:
        return replace(profile, ledger_levels=profile.block_levels + levels)
    raise UsageError(
        f"circuit '{name}' can't have {units} units", hint="whole pages or blocks; for coverage powers of 8"
    )


def names() -> tuple[str, ...]:
    """Names of all circuits, the order of `zkmargin circuits`."""
    return tuple(_MAKERS)


def profiles() -> tuple[str, ...]:
    """Names of all profiles in `protocol.toml`."""
    return tuple(load().profiles)


def circuit(name: str, profile: str, units: int | None = None) -> Circuit:
    """The circuit `name` in `profile`, with room for `units` if given instead of the profile's number.

    Raises UsageError for an unknown name or profile.
    """
    if name not in _MAKERS:
        raise UsageError(f"there is no circuit '{name}'", hint=f"circuits: {', '.join(names())}")
    if profile not in profiles():
        raise UsageError(f"there is no profile '{profile}'", hint=f"profiles: {', '.join(profiles())}")
    sizes = load().profile(profile)
    made = _MAKERS[name](sizes if units is None else _resized(sizes, name, units))
    return replace(
        made,
        search=(home() / "circuits", circomlib()),
        generated={"constants.circom": circom_constants()},
    )


def two_sizes(made: Circuit) -> tuple[Circuit, Circuit]:
    """The circuit with few and with more units: what lies between is the cost of a unit, on average.

    A sponge takes 15 words a block, so the last unit alone would tell too little or too much.
    """
    block = load().profile(made.profile).block_pages
    sizes = {
        "settle": (1, made.units),
        "tick": (load().profile(made.profile).quorum, made.units),
        "sweep": (PAGE_SIZE, 2 * PAGE_SIZE),
        "coverage": (ARITY, ARITY**2),
        "regroup": (PAGE_SIZE, 4 * PAGE_SIZE),
        "carry": (block, 4 * block),
    }
    few, more = sizes[made.name]
    return circuit(made.name, made.profile, few), circuit(made.name, made.profile, more)


def circuits(profile: str) -> tuple[Circuit, ...]:
    """All circuits of `profile`; they share one set of development keys."""
    return tuple(circuit(name, profile) for name in names())
