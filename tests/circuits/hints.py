# SPDX-License-Identifier: GPL-3.0-or-later
"""The hints (`<--`) of every template, and the wires they are in a compiled circuit.

A hint is a value the witness generator gives and no assignment constrains: other constraints must fix it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from zkmargin.circuits.r1cs import SignalNames
from zkmargin.toolchain import circomlib, home

_DIVISION = "a quotient whose divisor is never 0, as argued above the template"
# Template -> hint -> why it has one value, though uniqueness propagation does not find it.
ARGUED: dict[str, dict[str, str]] = {
    "OneHot": {"hot": "0 or 1, sum 1, and the index is their weighted sum"},
    "FloorDivide": {"out": "ranged, with 0 <= remainder < divisor"},
    "BaseMul": {"e": "+1 or -1, and their weighted sum is the scalar", "slope": _DIVISION},
    "ChallengeMul": {
        "part": "bits of the quotient by the order, with a remainder in range",
        "even": "a bit of the same sum",
        "digit": "+v or -v as the bits of the sum have it",
        "slope1": _DIVISION,
        "slope2": _DIVISION,
    },
    "EdwardsAdd": {"x": _DIVISION, "y": _DIVISION},
    "EdwardsDouble": {"xOut": _DIVISION, "yOut": _DIVISION},
    "ToMontgomery": {"u": _DIVISION, "v": _DIVISION},
    "ToEdwards": {"x": _DIVISION, "y": _DIVISION},
    "MontgomeryTwice": {"slope": _DIVISION},
    "Position": {"newSide": "the other side would make the magnitude negative, out of its range; 0 for 0"},
    "TableCheck": {"fraction": _DIVISION, "pole": _DIVISION},
    "SweepCheck": {"fraction": _DIVISION, "pole": _DIVISION},
    "Touch": {"ownerUpper": "the upper half of ownerHi: both halves are ranged"},
}
# Template -> hint -> why it may have several values. Nothing else may depend on it.
OPEN: dict[str, dict[str, str]] = {
    "AtMost": {"ratio": "free where nothing is seen or missing, and then multiplied by 0"},
    "IsZero": {"inv": "free where the input is 0, and then multiplied by 0"},
}
# Template -> hints that uniqueness propagation determines by itself.
FOLLOW: dict[str, tuple[str, ...]] = {
    "ShiftDown": ("out", "r"),
    "Row": ("perpetual", "collateral", "limited"),
    "Num2Bits": ("out",),
}
# Of a signal and its copies the compiler keeps one. Template -> its signal that may stand for a hint -> it.
COPIED: dict[str, dict[str, str]] = {
    "EdwardsAdd": {"x1": "ToEdwards.x", "y1": "ToEdwards.y"},
    "BaseMul": {"x": "EdwardsAdd.x", "y": "EdwardsAdd.y"},
    "ChallengeMul": {
        "xOut": "EdwardsAdd.x",
        "yOut": "EdwardsAdd.y",
        "x": "EdwardsDouble.xOut",
        "y": "EdwardsDouble.yOut",
    },
    "Keep": {"newSide": "Position.newSide"},
    "Place": {"isQuote": "OneHot.hot"},
}

_BODY = re.compile(r"^template\s+(\w+)\s*\([^)]*\)[^{]*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_DECLARED = re.compile(r"\bsignal\s+(input|output)?\s*(\w+)")
_HINTED = re.compile(r"(\w+)(?:\[[^\]]*\])*\s*<--")
_SIGNAL = re.compile(r"\bsignal\b[^;<=]*;")
_COPY = re.compile(r"\w+(?:\[[^\]]*\])*\.\w+(?:\[[^;]*?\])?\s*<==\s*\w+(?:\[[^;]*?\])*\s*;")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@cache
def bodies() -> Mapping[str, str]:
    """Template -> its text, of the project and of circomlib."""
    folders = circomlib(), home() / "circuits"
    return {name: body for folder in folders for _, name, body in _templates(folder)}


def ours() -> dict[str, str]:
    """The project's templates -> source file."""
    return {name: source for source, name, _ in _templates(home() / "circuits")}


def _templates(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(source file, name, text) of each template in a folder."""
    for path in sorted(folder.rglob("*.circom")):
        for name, body in _BODY.findall(_COMMENT.sub("", path.read_text())):
            yield str(path.relative_to(folder)), name, body


def hints_of(template: str) -> set[str]:
    """The signals that a template gives values by `<--`."""
    return set(_HINTED.findall(bodies()[template]))


def _declared(body: str) -> dict[str, list[str]]:
    """Kind ("input", "output" or neither, "") -> signals of a template."""
    kinds: dict[str, list[str]] = {"output": [], "input": [], "": []}
    for kind, signal in _DECLARED.findall(body):
        kinds[kind].append(signal)
    return kinds


@cache
def _signatures() -> dict[tuple[str, ...], set[str]]:
    """The signals of a component in the order of a .sym file -> templates that declare these."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, body in bodies().items():
        kinds = _declared(body)
        found.setdefault((*kinds["output"], *kinds["input"], *kinds[""]), set()).add(name)
    return found


def _components(names: SignalNames) -> dict[str, dict[str, list[int]]]:
    """Component -> signal -> its wires; -1 for what the compiler knows by another name."""
    found: dict[str, dict[str, list[int]]] = {}
    for name, wire in names.wire_of.items():
        place, _, signal = name.rpartition(".")
        found.setdefault(place, {}).setdefault(signal.partition("[")[0], []).append(wire)
    return found


def passed_on(template: str) -> set[str]:
    """Signals of a template that it says nothing of itself: it only copies them to its components."""
    body = bodies()[template]
    said = _COPY.sub("", _SIGNAL.sub("", body))
    kinds = _declared(body)
    return {signal for signal in (*kinds["input"], *kinds[""]) if not re.search(rf"\b{signal}\b", said)}


def inner_wires(template: str, names: SignalNames) -> set[int]:
    """Wires of a template's components that it says nothing of: not connected, or passed on to them."""
    found = set()
    for place, signals in _components(names).items():
        shown: set[str] = set()
        if place == "main":
            shown = signals.keys() - passed_on(template)
        elif place.count(".") == 1:
            for component in _signatures().get(tuple(signals), ()):
                kinds = _declared(bodies()[component])
                shown |= {*kinds["input"], *kinds["output"]}
        found |= {wire for signal, wires in signals.items() if signal not in shown for wire in wires}
    return found - {-1}


def hinted(names: SignalNames, of: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], list[int]]:
    """(Template, hint) -> the wires of it in a compiled circuit, for those of a table.

    The template of a component is told by the signals it has.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for signals in _components(names).values():
        for template in _signatures().get(tuple(signals), ()):
            for hint in of.get(template, ()):
                found.setdefault((template, hint), []).extend(w for w in signals[hint] if w > 0)
    return {key: sorted(wires) for key, wires in found.items() if wires}


def given(names: SignalNames) -> list[list[int]]:
    """The wires of each hint that is argued, copies that stand for one among them."""
    tables = hinted(names, ARGUED), hinted(names, COPIED)
    return [wires for table in tables for wires in table.values()]


def argued(names: SignalNames) -> list[int]:
    """All the wires of hints that are argued."""
    return [wire for wires in given(names) for wire in wires]


def left_open(names: SignalNames) -> set[int]:
    """The wires of hints that may have several values."""
    return {wire for wires in hinted(names, OPEN).values() for wire in wires}
