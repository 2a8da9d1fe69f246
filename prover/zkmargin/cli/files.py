# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON files that somebody else wrote: read whole, or refused with what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from zkmargin.errors import BadInput, MissingData

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DEEPEST = 64


def too_deep(text: str) -> bool:
    """Whether lists and objects nest deeper than in any file of this project."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {twice[:40]!r} twice")
    return found


def read_json(path: Path, what: str, largest: int) -> Any:
    """The JSON of a file of at most `largest` bytes.

    Raises `MissingData` where there is none, `BadInput` for what is no JSON, nests too deeply or has a name
    twice.
    """
    if not path.is_file():
        raise MissingData(f"there is no {what} {path}", hint="check the path")
    size = path.stat().st_size
    if size > largest:
        raise BadInput(f"{what} {path} has {size} bytes, at most {largest} are read", hint="give another")
    try:
        text = path.read_text()
        if too_deep(text):
            raise ValueError("its lists and objects nest too deeply")
        return json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        said = f"{what} {path} can't be read: {error.strerror}"
        raise MissingData(said, hint="check its permissions") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"{what} {path} is no JSON: {error}", hint="write it as JSON") from None
