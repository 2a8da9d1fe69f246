# SPDX-License-Identifier: GPL-3.0-or-later
"""Proving backends by name, behind one interface.

A backend turns a witness into a proof. `zkmargin.proving.prove` adds what every backend needs: the proof is
verified before anyone sees it, since a backend takes a wrong witness without complaint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from zkmargin.errors import ToolMissing, UsageError
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.proof import Proof


class Backend(Protocol):
    """What a backend offers; an instance keeps loaded keys and serves one process."""

    name: str

    def prove(self, keys: CircuitKeys, witness: bytes) -> Proof:
        """A proof for `witness`, not verified; its public signals are those in the witness."""
        ...


def _groth16py() -> Backend:
    from zkmargin.proving.backends.groth16py import Groth16Py

    return Groth16Py()


def _snarkjs() -> Backend:
    from zkmargin.proving.backends.snarkjs import SnarkJs

    return SnarkJs()


def _native() -> Backend:
    from zkmargin.proving.backends.native import Native

    return Native()


_MAKERS: dict[str, Callable[[], Backend]] = {"groth16py": _groth16py, "snarkjs": _snarkjs, "native": _native}
_made: dict[str, Backend] = {}


def backend_names() -> tuple[str, ...]:
    """Names a backend can be asked for by."""
    return tuple(_MAKERS)


def get_backend(name: str) -> Backend:
    """The process's backend of that name; UsageError for an unknown one, ToolMissing for one not built."""
    if name not in _MAKERS:
        raise UsageError(f"there is no proving backend '{name}'", hint=f"backends: {', '.join(_MAKERS)}")
    if name not in _made:
        _made[name] = _MAKERS[name]()
    return _made[name]


def best_backend() -> str:
    """The fastest backend that is built here: the native kernel, else groth16py."""
    try:
        get_backend("native")
    except ToolMissing:
        return "groth16py"
    return "native"
