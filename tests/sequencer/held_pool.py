# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool as slow as a test wants it: it holds proofs of some circuits back until it is told to go on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import ExitStack

from sequencer.world import PROFILE
from zkmargin.proving.pool import Job, Pool, ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import Proved


class HeldPool(Pool):
    """Real proofs by one worker; those of `circuits` are begun at `release`."""

    def __init__(self, circuits: Collection[str]) -> None:
        self.backend = "native"
        self._held = [profile_keys(PROFILE.name)[name] for name in circuits]
        self._waiting: list[Callable[[], None]] = []
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(ProvingPool("native", 1))

    @property
    def workers(self) -> int:
        return 1

    def submit(self, job: Job) -> Future[Proved]:
        if job.keys not in self._held:
            return self._pool.submit(job)
        future = Future[Proved]()
        self._waiting.append(lambda: self._begin(job, future))
        return future

    def release(self) -> None:
        """Hold nothing any more."""
        self._held = []
        for begin in self._waiting:
            begin()
        self._waiting = []

    def _begin(self, job: Job, future: Future[Proved]) -> None:
        def settle(done: Future[Proved]) -> None:
            if error := done.exception():
                future.set_exception(error)
            else:
                future.set_result(done.result())

        self._pool.submit(job).add_done_callback(settle)

    def __exit__(self, *error: object) -> None:
        self._stack.close()
