# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that nobody vouches for: it may be meant to break whoever reads it."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

DEEPEST = 64  # nothing that an audit reads nests deeper
_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


def nesting(text: str) -> int:
    """How deep lists and objects nest, brackets in strings left out; one pass, whatever the text."""
    most = depth = 0
    quoted = False
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark == '"':
            quoted = not quoted
        elif mark in "[{" and not quoted:
            depth += 1
            most = max(most, depth)
        elif mark in "]}" and not quoted:
            depth -= 1
    return most


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def parse(text: str, *, strict: bool = True) -> Any:
    """The value of a JSON text; ValueError for anything else, for deep nesting and for NaN or Infinity.

    Without `strict` strings may hold control characters.
    """
    if nesting(text) > DEEPEST:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    try:
        return json.loads(text, strict=strict, parse_constant=_no_number)
    except RecursionError:  # by the caller's own depth
        raise ValueError("it nests too deeply") from None
