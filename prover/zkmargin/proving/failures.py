# SPDX-License-Identifier: GPL-3.0-or-later
"""Failed assertions of a witness generator, told with the source line they stand on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_MESSAGE = re.compile(r"^Error in template (\w+?)_\d+ line: (\d+)$")
_TEMPLATE = re.compile(r"^\s*template\s+(?:\w+\s+)*?(\w+)\s*\(", re.MULTILINE)


@dataclass(frozen=True)
class Failure:
    """Where a generator reported a failure; `file` and `text` are empty when the source is not known."""

    template: str
    line: int
    file: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file else f"line {self.line}"
        return f"template {self.template}, {place}" + (f" `{self.text}`" if self.text else "")


class SourceMap:
    """Templates to the files and lines they stand in."""

    def __init__(self, sources: Path) -> None:
        self._path = sources

    @cached_property
    def _files(self) -> dict[str, tuple[str, list[str]]]:
        texts: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        found = {}
        for name, text in texts.items():
            for match in _TEMPLATE.finditer(text):
                found[match.group(1)] = (name, text.splitlines())
        return found

    def failures(self, messages: Iterable[str]) -> list[Failure]:
        """Failures in the order reported, the innermost first; repeated reports of one line are kept once."""
        seen: dict[Failure, None] = {}
        for message in messages:
            match = _MESSAGE.match(message)
            if match is None:
                continue
            template, line = match.group(1), int(match.group(2))
            name, lines = self._files.get(template, ("", []))
            text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            seen.setdefault(Failure(template, line, name.partition("/")[2] or name, text))
        return list(seen)
