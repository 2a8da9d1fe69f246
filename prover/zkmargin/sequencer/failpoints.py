# SPDX-License-Identifier: GPL-3.0-or-later
"""Named points at which a test kills the process, to show that the journal loses nothing.

`ZKMARGIN_FAILPOINT=name` or `name:k` ends the process with SIGKILL at the first (or k-th)
`reach(name)`.
Without the variable `reach` does nothing.
"""

from __future__ import annotations

import os
import signal

ENVIRONMENT = "ZKMARGIN_FAILPOINT"
_hits: dict[str, int] = {}


def reach(name: str) -> None:
    """Die here, unflushed, if the environment asks for it."""
    wanted = os.environ.get(ENVIRONMENT)
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] >= int(count or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
