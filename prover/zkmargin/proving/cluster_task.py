# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine of a cluster does for one job: finds circuit and key in its own build folder, and proves."""

from __future__ import annotations

import os
import socket
import traceback
from dataclasses import dataclass, replace

from zkmargin.circuits.compile import load_artifacts
from zkmargin.errors import MissingData, UsageError
from zkmargin.proving.backends.native import THREADS
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.pool import Job, run_job
from zkmargin.proving.prove import Proved
from zkmargin.toolchain import build_folder


@dataclass(frozen=True)
class Failed:
    """The error that proving raised, as an answer: the job counts as done, and is not retried."""

    error: Exception
    trace: str


def prove_here(job: Job, backend: str, threads: int) -> Proved | Failed:
    """Prove `job`, which comes from another machine, with this machine's files."""
    os.environ[THREADS] = str(threads)
    try:
        return run_job(replace(job, keys=keys_here(job.keys)), backend)
    except Exception as error:
        return Failed(error, traceback.format_exc())


def keys_here(keys: CircuitKeys) -> CircuitKeys:
    """`keys` with the paths of this machine; MissingData when it has no such circuit or proving key.

    Folders go by the hash of their content, and are the same on every machine: circuits are compared by the
    hash of their sources, proving keys byte for byte.
    """
    circuit = build_folder() / "circuits" / keys.artifacts.folder.name
    zkey = build_folder() / "keys" / keys.zkey.parent.name / keys.zkey.name
    if not (circuit / "info.json").exists():
        raise _missing(keys, "has no", f"build/circuits/{circuit.name}")
    artifacts = load_artifacts(circuit)
    if replace(artifacts, folder=keys.artifacts.folder) != keys.artifacts:
        raise _missing(keys, "has another", f"build/circuits/{circuit.name}")
    here = replace(keys, artifacts=artifacts, zkey=zkey)
    if not zkey.exists():
        raise _missing(keys, "has no", f"build/keys/{zkey.parent.name}/{zkey.name}")
    try:
        here.check_zkey()
    except MissingData:
        raise _missing(keys, "has another", f"build/keys/{zkey.parent.name}/{zkey.name}") from None
    return here


def _missing(keys: CircuitKeys, what: str, path: str) -> MissingData:
    try:
        folder = str(build_folder())
    except (MissingData, UsageError):
        folder = "build/"
    return MissingData(
        f"machine {socket.gethostname()} of the cluster {what} {path}, for circuit {keys.artifacts.key}",
        hint=f"copy build/circuits and build/keys of the machine that asks to its {folder}",
        code="not_on_worker",
    )
