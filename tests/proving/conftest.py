# SPDX-License-Identifier: GPL-3.0-or-later
"""The example circuit, compiled and with keys; a Ray cluster of several nodes on this machine."""

from __future__ import annotations

import os

import pytest

from proving.example import example_circuit
from proving.held import MACHINE
from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.proving.keys import CircuitKeys, development_keys
from zkmargin.toolchain import home


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    return compile_circuit(example_circuit())


@pytest.fixture(scope="session")
def keys(artifacts: Artifacts) -> CircuitKeys:
    return development_keys([artifacts])["example"]


@pytest.fixture(scope="module")
def cluster():
    """The head of a cluster, which proves nothing itself."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def machine(cluster):
    """Adds a machine of one core to the cluster, by the name it knows itself by; it goes after the test."""
    added = []

    def add(name="", **environment):
        variables = {MACHINE: name, "PYTHONPATH": str(home() / "tests"), **environment}
        added.append(cluster.add_node(num_cpus=1, object_store_memory=80 << 20, env_vars=variables))
        return added[-1]

    yield add
    for node in added:
        if node in cluster.worker_nodes:
            cluster.remove_node(node, allow_graceful=False)
