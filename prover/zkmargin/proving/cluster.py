# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs side by side on the machines of a Ray cluster; needs the extra `zkmargin[cluster]`.

The machine that asks is a node of the cluster too, if need be one that proves nothing (`ray start
--address=HOST:PORT --num-cpus=0`). Every machine has the same version of zkmargin, Python and Ray, and a copy
of `build/circuits` and `build/keys` in its build folder (`build/` of its source tree, or where
`ZKMARGIN_BUILD` of `ray start` points). Keys are copied, never made anew: those made by another machine are
other keys. A job names circuit and key by hash; a machine without them answers with `MissingData`.

Jobs hold private data, and who reaches a Ray cluster can run programs on it: keep it to machines and a
network of your own (and give `ray start --head` the option `--disable-usage-stats`). Ray ends the processes
connected to a head that is gone for a minute (`RAY_gcs_rpc_server_reconnect_timeout_s`); a sequencer that is
started again goes on from its journal.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any

from zkmargin.errors import ExitStatus, MissingData, ProvingError, ToolMissing, UsageError
from zkmargin.proving.cluster_task import Failed, prove_here
from zkmargin.proving.pool import Job, Pool, ProvingPool
from zkmargin.proving.prove import Proved

CLUSTER = "ZKMARGIN_CLUSTER"
"""Environment variable: HOST:PORT of the head of a Ray cluster to prove on; this machine when not set."""
RETRIES = 3
_CONNECT_SECONDS = 5.0
_ATTEMPTS = "RAY_gcs_server_port_wait_time_s"  # Ray's name for how often it tries to connect


def open_pool(backend: str, cluster: str | None = None) -> Pool:
    """The pool of the cluster at that address, or the one $ZKMARGIN_CLUSTER names; else this machine's."""
    address = cluster or os.environ.get(CLUSTER)
    return ClusterPool(backend, address) if address else ProvingPool(backend)


class ClusterPool(Pool):
    """Proves on the Ray cluster at `address`, the host:port of its head; a process has one at a time.

    Each proof takes `cpus` cores of one machine. One that is lost with its process or machine is made anew
    elsewhere, up to `retries` times; what proving itself raises is raised at once. Without any free machine
    jobs wait for one to join.
    """

    def __init__(self, backend: str, address: str, *, cpus: int = 1, retries: int = RETRIES) -> None:
        self.backend, self.address, self.cpus, self.retries = backend, address, cpus, retries
        self._open: set[Future[Proved]] = set()
        self._ray = _connect(address)
        if self.workers == 0:
            self._ray.shutdown()
            raise _unreachable(
                f"no machine of the Ray cluster at {address} has {cpus} cores for proofs",
                f"add one: `ray start --address={address}`",
            )
        remote = self._ray.remote(num_cpus=cpus, max_retries=retries, retry_exceptions=False)
        self._prove = remote(prove_here)

    @property
    def workers(self) -> int:
        """How many proofs the cluster, as it is now, makes side by side."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return sum(int(resources.get("CPU", 0)) // self.cpus for resources in nodes)

    def submit(self, job: Job) -> Future[Proved]:
        """Start one job; its result raises what proving raised. Cancelling ends it even while it runs."""
        future: Future[Proved] = Future()
        asked = self._prove.remote(job, self.backend, self.cpus)
        self._open.add(future)

        def settled(future: Future[Proved]) -> None:
            self._open.discard(future)
            if future.cancelled():
                # A process that is stopped within a proof is not fit for another: it ends as well.
                self._ray.cancel(asked, force=True)

        future.add_done_callback(settled)
        asked.future().add_done_callback(partial(_deliver, future, self.retries))
        return future

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        futures = list(self._open)
        try:
            if error is None:
                wait(futures)
        finally:
            for future in futures:
                future.cancel()
            self._ray.shutdown()


def _deliver(future: Future[Proved], retries: int, answer: Future[Proved | Failed]) -> None:
    """Settle `future` by what the cluster answered; called on a thread of Ray's."""
    if not future.set_running_or_notify_cancel():
        return
    error = answer.exception()
    if error is not None:
        future.set_exception(_lost(error, retries))
        return
    outcome = answer.result()
    if isinstance(outcome, Failed):
        outcome.error.add_note(outcome.trace)
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)


def _lost(error: BaseException, retries: int) -> ProvingError:
    """Ray's own error as one of the package."""
    import ray.exceptions

    said = str(error).strip().splitlines() or [type(error).__name__]
    if isinstance(error, ray.exceptions.RayTaskError):
        return ProvingError(
            f"a machine of the cluster cannot run this version of zkmargin: {said[-1].strip()}",
            hint="install the same version, with its packages, on every machine of the cluster",
        )
    return ProvingError(
        f"a proof was begun {retries + 1} times and lost each time with its process or machine: {said[0]}",
        hint="most likely for want of memory: give each proof more cores, so that fewer run side by side",
        retryable=True,
    )


def _connect(address: str) -> Any:
    """The module `ray`, connected to the cluster."""
    try:
        import ray
    except ImportError:
        raise ToolMissing(
            "proofs on a cluster need Ray, which is not installed",
            hint="run `make setup-cluster`, or install zkmargin[cluster]",
        ) from None
    if ray.is_initialized():
        raise UsageError(
            "this process is connected to a Ray cluster already", hint="close the other pool first"
        )
    _check_listens(address)
    os.environ.setdefault(_ATTEMPTS, "1")
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _unreachable(
            f"cannot join the Ray cluster at {address}: {said}",
            "check that it is the head of a cluster of the same Ray and Python, and that this machine is a "
            f"node of it: `ray start --address={address} --num-cpus=0`",
        ) from None
    return ray


def _check_listens(address: str) -> None:
    """Ask in a moment what Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UsageError(f"'{address}' is no address of a Ray cluster", hint="give the head's HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(
            f"no Ray cluster answers at {address}: {error}",
            "check the address, and that its head runs: `ray start --head --port=6379`",
        ) from None


def _unreachable(message: str, hint: str) -> MissingData:
    return MissingData(
        message,
        hint=hint,
        code="cluster_unreachable",
        retryable=True,
        exit_status=ExitStatus.UNREACHABLE,
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray sets a handler of SIGTERM of its own: the process keeps the one it has."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, kept if kept is not None else signal.SIG_DFL)
