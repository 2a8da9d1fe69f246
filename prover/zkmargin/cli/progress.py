# SPDX-License-Identifier: GPL-3.0-or-later
"""How far an audit has come, on standard error."""

from __future__ import annotations

import sys
import time

_EVERY = 5.0


class Progress:
    """A line redrawn on a terminal; elsewhere one now and then."""

    def __init__(self) -> None:
        self.said = 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Say that of a stage so much is done."""
        if sys.stderr.isatty():
            print(f"\r{stage}: {done}/{of} ", end="" if done < of else "\n", file=sys.stderr, flush=True)
        elif done == of or time.monotonic() - self.said > _EVERY:
            self.said = time.monotonic()
            print(f"{stage}: {done}/{of}", file=sys.stderr, flush=True)
