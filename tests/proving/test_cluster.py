# SPDX-License-Identifier: GPL-3.0-or-later
"""Proofs on a Ray cluster: made though processes and machines are killed; errors as those of the local pool.

The cluster is several nodes on this machine. Tests of it are skipped where Ray is not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import time
import tomllib
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import pytest

from proving.example import example_inputs
from proving.held import Held
from proving.marks import needs_ray
from zkmargin.errors import (
    BadInput,
    ExitStatus,
    MissingData,
    ProvingError,
    ToolMissing,
    UsageError,
    WitnessError,
)
from zkmargin.proving.cluster import CLUSTER, ClusterPool, open_pool
from zkmargin.proving.cluster_task import keys_here
from zkmargin.proving.pool import Job, ProvingPool
from zkmargin.proving.verify import verify
from zkmargin.toolchain import build_folder, home

ROOT = home()


# ---------------------------------------------------------------- without a cluster


def _pins(name):
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_lock_adds_to_the_packages_of_the_set_up_and_changes_none():
    wanted, locked, base = (
        _pins(f"requirements{name}") for name in ("-cluster.in", "-cluster.lock", ".lock")
    )
    assert wanted.items() <= locked.items()
    assert all(re.fullmatch(r"[\w.]+", version) for version in locked.values())
    assert {name: base[name] for name in locked if name in base}.items() <= locked.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert dict(line.split("==") for line in project["optional-dependencies"]["cluster"]) == wanted


def test_without_ray_the_pool_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolMissing, match="make setup-cluster"):
        ClusterPool("groth16py", "localhost:6379")


def test_the_environment_names_the_cluster_to_prove_on(monkeypatch):
    monkeypatch.delenv(CLUSTER, raising=False)
    with open_pool("groth16py") as pool:
        assert isinstance(pool, ProvingPool)
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv(CLUSTER, "localhost:6379")
    with pytest.raises(ToolMissing, match="proofs on a cluster"):
        open_pool("groth16py")


def _build_without(artifacts, keys, folder, lost):
    """A build folder like this machine's for `keys`, with `lost` changed, or gone if it is a folder."""
    for source in (artifacts.folder, keys.zkey.parent):
        shutil.copytree(source, folder / source.parent.name / source.name)
    path = folder / lost
    if path.suffix == ".zkey":
        path.write_bytes(path.read_bytes()[:-1])
    elif path.suffix == ".json":
        path.write_text(path.read_text().replace('"source_hash": "', '"source_hash": "0'))
    else:
        shutil.rmtree(path)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("circuits/{circuit}", "has no build/circuits/{circuit}"),
        ("circuits/{circuit}/info.json", "has another build/circuits/{circuit}"),
        ("keys/{keys}", "has no build/keys/{keys}/example.zkey"),
        ("keys/{keys}/example.zkey", "has another build/keys/{keys}/example.zkey"),
    ],
)
def test_a_machine_without_circuit_or_key_says_which_and_what_to_copy(
    artifacts, keys, tmp_path, monkeypatch, lost, message
):
    names = {"circuit": artifacts.folder.name, "keys": keys.zkey.parent.name}
    _build_without(artifacts, keys, tmp_path, lost.format(**names))
    monkeypatch.setenv("ZKMARGIN_BUILD", str(tmp_path))
    with pytest.raises(MissingData) as caught:
        keys_here(keys)
    assert message.format(**names) in caught.value.message
    assert socket.gethostname() in caught.value.message
    assert (
        f"copy build/circuits and build/keys of the machine that asks to its {tmp_path}" in caught.value.hint
    )
    assert caught.value.code == "not_on_worker"


def test_circuit_and_key_are_found_where_this_machine_has_them(artifacts, keys):
    elsewhere = replace(
        keys,
        artifacts=replace(artifacts, folder=Path("/elsewhere/circuits") / artifacts.folder.name),
        zkey=Path("/elsewhere/keys") / keys.zkey.parent.name / keys.zkey.name,
    )
    found = keys_here(elsewhere)
    assert found == replace(
        keys,
        artifacts=replace(artifacts, folder=build_folder() / "circuits" / artifacts.folder.name),
        zkey=build_folder() / "keys" / keys.zkey.parent.name / keys.zkey.name,
    )


# ---------------------------------------------------------------- on a cluster


@pytest.fixture
def notes(tmp_path):
    """Folders for notes of attempts."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        return folder

    return make


def _jobs(keys, notes, labels, **held):
    inputs = [Held(label, notes(str(label)), **held) for label in labels]
    return inputs, [Job(keys, example_inputs(label=label)) for label in inputs]


def _check(keys, results, labels):
    assert [result.proof.public[2] for result in results] == list(labels)
    for result in results:
        verify(result.proof, keys.verification_key, "groth16py")


class TestCluster:
    pytestmark = needs_ray

    def test_a_killed_process_s_proof_is_made_by_another(self, cluster, machine, keys, notes):
        machine("one")
        machine("two")
        held, jobs = _jobs(keys, notes, range(4), hold="first")
        with ClusterPool("groth16py", cluster.address) as pool:
            assert pool.workers == 2
            futures = [pool.submit(job) for job in jobs]
            for label in held:
                os.kill(label.wait_for(len)[0].pid, signal.SIGKILL)
            results = [future.result(60) for future in futures]
        _check(keys, results, range(4))
        assert [len(label.attempts()) for label in held] == [2] * 4

    def test_a_killed_machine_s_proof_is_made_on_another(self, cluster, machine, keys, notes):
        machine("one")
        doomed = machine("two")
        folder = notes("shared")
        inputs = [Held(label, folder, hold="two") for label in range(4)]
        with ClusterPool("groth16py", cluster.address) as pool:
            futures = [pool.submit(Job(keys, example_inputs(label=label))) for label in inputs]
            inputs[0].wait_for(lambda found: any(attempt.machine == "two" for attempt in found))
            assert not all(future.done() for future in futures)
            cluster.remove_node(doomed, allow_graceful=False)
            results = [future.result(90) for future in futures]
            end = time.monotonic() + 60
            while pool.workers != 1:  # the head takes a moment to be sure
                assert time.monotonic() < end
                time.sleep(0.2)
        _check(keys, results, range(4))
        assert [attempt.machine for attempt in inputs[0].attempts()].count("one") == 4

    def test_a_proof_that_kills_every_process_is_given_up(self, cluster, machine, keys, notes):
        machine("one")
        label = Held(7, notes("7"), hold="one")
        with ClusterPool("groth16py", cluster.address, retries=1) as pool:
            future = pool.submit(Job(keys, example_inputs(label=label)))
            for number in (1, 2):
                attempts = label.wait_for(lambda found, least=number: len(found) == least)
                os.kill(attempts[-1].pid, signal.SIGKILL)
            with pytest.raises(ProvingError, match="begun 2 times and lost each time") as caught:
                future.result(60)
            assert caught.value.retryable

    def test_errors_of_proving_are_raised_at_once(self, cluster, machine, keys, notes):
        machine("one")
        label, short = Held(7, notes("7")), Job(keys, witness=bytes(64))
        with ClusterPool("groth16py", cluster.address) as pool:
            with pytest.raises(WitnessError, match="sum === total") as caught:
                pool.prove_all([Job(keys, example_inputs(label=label, factors=[[0, 0]] * 3))])
            assert caught.value.code == "witness_failed"
            assert "in prove_here" in caught.value.__notes__[0]
            assert len(label.attempts()) == 1
            with pytest.raises(BadInput, match="wires of 32"):
                pool.submit(short).result(60)
            with pytest.raises(UsageError, match="already"), ClusterPool("groth16py", cluster.address):
                pass
            seen = []
            results = pool.prove_all(
                [Job(keys, example_inputs(label=label)) for label in range(3)],
                lambda *progress: seen.append(progress),
            )
        _check(keys, results, range(3))
        assert seen == [(1, 3), (2, 3), (3, 3)]

    def test_a_cancelled_proof_makes_room(self, cluster, machine, keys, notes):
        machine("one")
        held = Held(7, notes("7"), hold="first")
        before = signal.getsignal(signal.SIGTERM)
        with ClusterPool("groth16py", cluster.address) as pool:
            assert signal.getsignal(signal.SIGTERM) == before
            futures = [pool.submit(Job(keys, example_inputs(label=label))) for label in (held, 8, 9)]
            held.wait_for(len)
            assert futures[1].cancel()
            assert futures[0].cancel()
            _check(keys, [futures[2].result(60)], [9])
            assert wait(futures, 10).not_done == set()
            assert len(held.attempts()) == 1

    def test_a_machine_without_the_key(self, cluster, machine, keys, tmp_path):
        machine("bare", ZKMARGIN_BUILD=str(tmp_path))
        with ClusterPool("groth16py", cluster.address) as pool:
            future = pool.submit(Job(keys, example_inputs()))
            with pytest.raises(MissingData, match="has no build/circuits/example-test-") as caught:
                future.result(60)
        assert caught.value.code == "not_on_worker"

    def test_a_machine_without_the_package(self, cluster, machine, keys, tmp_path):
        (tmp_path / "zkmargin").mkdir()
        (tmp_path / "zkmargin" / "__init__.py").write_text("raise ImportError('an older one')\n")
        machine("old", PYTHONPATH=str(tmp_path))
        with ClusterPool("groth16py", cluster.address) as pool:
            future = pool.submit(Job(keys, example_inputs()))
            with pytest.raises(ProvingError, match=r"cannot run this version of zkmargin.*an older one"):
                future.result(60)

    @pytest.mark.parametrize(
        "address", ["localhost", "ray://localhost:10001", "auto", "localhost:x", ":6379"]
    )
    def test_what_is_no_address(self, address):
        with pytest.raises(UsageError, match="HOST:PORT"):
            ClusterPool("groth16py", address)

    def test_a_cluster_that_is_not_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{closed.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(MissingData, match=f"no Ray cluster answers at {address}") as caught:
            ClusterPool("groth16py", address)
        assert time.monotonic() - began < 10
        error = caught.value
        assert (error.code, error.retryable) == ("cluster_unreachable", True)
        assert error.exit_status == ExitStatus.UNREACHABLE
        assert "ray start --head" in error.hint

    def test_what_listens_and_is_no_cluster(self):
        with socket.create_server(("", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            with pytest.raises(MissingData, match=f"cannot join the Ray cluster at {address}") as caught:
                ClusterPool("groth16py", address)
        assert caught.value.code == "cluster_unreachable"

    def test_a_cluster_that_has_no_cores(self, cluster):
        with pytest.raises(MissingData, match=r"no machine .* has 1 cores") as caught:
            ClusterPool("groth16py", cluster.address)
        assert caught.value.code == "cluster_unreachable"
