# SPDX-License-Identifier: GPL-3.0-or-later
"""An input that notes each attempt to prove with it, and holds some of them until their process is killed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

MACHINE = "ZKMARGIN_TEST_MACHINE"
"""Environment variable: the name by which a node of the test's cluster knows itself."""
_LONGEST = 120.0


@dataclass(frozen=True)
class Attempt:
    """One start of a proof: the machine and process, and how many there were before."""

    machine: str
    pid: int


@dataclass(frozen=True)
class Held:
    """Stands for `value` among inputs; reading it is the proving process's first step.

    With `hold` "first" the first attempt never gets further. With the name of a machine none there does,
    and attempts elsewhere wait until there has been one there.
    """

    value: int
    folder: Path
    hold: str = ""

    def __index__(self) -> int:
        attempt = Attempt(os.environ.get(MACHINE, ""), os.getpid())
        before = self.attempts()
        (self.folder / f"{time.time_ns()}-{attempt.machine}-{attempt.pid}").touch()
        if (self.hold == "first" and not before) or (self.hold and self.hold == attempt.machine):
            time.sleep(_LONGEST)
        elif self.hold not in ("", "first"):
            self.wait_for(lambda found: any(other.machine == self.hold for other in found))
        return self.value

    def attempts(self) -> list[Attempt]:
        """All attempts so far, the first one first."""
        names = sorted(path.name.split("-") for path in self.folder.iterdir())
        return [Attempt(machine, int(pid)) for _, machine, pid in names]

    def wait_for(self, seen):
        """Attempts, as soon as `seen` of them is true."""
        end = time.monotonic() + _LONGEST
        while not seen(found := self.attempts()):
            if time.monotonic() > end:
                raise TimeoutError(f"only {found}")
            time.sleep(0.02)
        return found
