# SPDX-License-Identifier: GPL-3.0-or-later
"""Several proofs side by side, each process keeping its witness generator and proving key loaded."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from zkmargin.errors import ProvingError
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.prove import Proved, prove, prove_witness
from zkmargin.proving.witness import Inputs

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Job:
    """One proof to make: inputs, or a finished witness, of a circuit."""

    keys: CircuitKeys
    inputs: Inputs | None = None
    witness: bytes | None = None


def run_job(job: Job, backend: str) -> Proved:
    """Do one job in this process."""
    if job.witness is not None:
        return prove_witness(job.keys, job.witness, backend)
    return prove(job.keys, job.inputs or {}, backend)


class Pool(AbstractContextManager["Pool"]):
    """What proves jobs side by side: processes of this machine, or a cluster's (`zkmargin.proving.cluster`).

    At the end of a `with` block jobs still under way are waited for; after an error those not begun are
    dropped.
    """

    backend: str

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many proofs are made side by side."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def submit(self, job: Job) -> Future[Proved]:
        """Start one job; its result raises what proving raised."""

    def prove_all(
        self, jobs: Iterable[Job], progress: Callable[[int, int], None] | None = None
    ) -> list[Proved]:
        """Results in the order of `jobs`; `progress` is told how many are done, of how many.

        The first failure is raised, and jobs not yet begun are dropped.
        """
        futures = [self.submit(job) for job in jobs]
        for done, future in enumerate(_finished(futures), 1):
            future.result()
            if progress is not None:
                progress(done, len(futures))
        return [future.result() for future in futures]


def _begin(parent: int) -> None:
    """A worker leaves an interrupt at the keyboard to its parent, and does not outlive a killed one.

    Nor one that was killed while the worker started, before the system was asked to tell.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class ProvingPool(Pool):
    """A pool of `workers` processes (by default one a core) that prove with one backend.

    A backend that uses all cores itself (native, snarkjs) is best given one worker.
    """

    def __init__(self, backend: str, workers: int | None = None) -> None:
        self.backend = backend
        self._workers = workers or os.cpu_count() or 1
        # Spawned, not forked: a process that has run WebAssembly or native threads does not survive a fork.
        self._pool = ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(os.getpid(),),
        )

    @property
    def workers(self) -> int:
        """See `Pool.workers`."""
        return self._workers

    def submit(self, job: Job) -> Future[Proved]:
        """See `Pool.submit`."""
        return self._pool.submit(run_job, job, self.backend)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=error is not None)


def _finished(futures: list[Future[Proved]]) -> Iterator[Future[Proved]]:
    try:
        for future in as_completed(futures):
            if isinstance(future.exception(), BrokenProcessPool):
                raise ProvingError(
                    "a proving process was killed, most likely for want of memory",
                    hint="run with fewer workers",
                    retryable=True,
                )
            yield future
    except BaseException:
        for future in futures:
            future.cancel()
        raise
