# SPDX-License-Identifier: GPL-3.0-or-later
"""A tick proved on a Ray cluster of two machines, one of them killed while it proves: the tick is covered."""

from __future__ import annotations

import pytest

from proving.held import Held
from proving.marks import needs_ray
from sequencer.world import PROFILE, ledger_with_deposits, opened, slot_comes, start
from zkmargin.auditor.audit import audit
from zkmargin.auditor.source import Node
from zkmargin.proving.cluster import ClusterPool
from zkmargin.proving.pool import Job
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.posting import Poster

pytestmark = [*needs_ray, pytest.mark.chain]
AT_ANY_AGE = 1 << 30  # seconds


class HeldOnTwo(ClusterPool):
    """Sweep and coverage get no further on machine "two", and elsewhere not before one has begun there."""

    def __init__(self, address, folder):
        super().__init__("native", address)
        self.folder = folder
        self.held = [profile_keys(PROFILE.name)[circuit] for circuit in ("sweep", "coverage")]

    def submit(self, job):
        if job.keys not in self.held:
            return super().submit(job)
        inputs = dict(job.inputs)
        name = next(name for name, value in inputs.items() if isinstance(value, int))
        inputs[name] = Held(inputs[name], self.folder, hold="two")
        return super().submit(Job(job.keys, inputs))


def test_a_machine_killed_while_it_proves(cluster, machine, tmp_path):
    machine("one")
    doomed = machine("two")
    notes = tmp_path / "notes"
    notes.mkdir()
    keys = profile_keys(PROFILE.name)
    verifying = {name: key.verification_key for name, key in keys.items()}

    def told(event, row, _):
        """Sweep and coverage are under way, one on each machine."""
        if (event, row.circuit) == ("proving", "coverage"):
            begun = Held(0, notes)
            begun.wait_for(lambda found: any(attempt.machine == "two" for attempt in found))
            cluster.remove_node(doomed, allow_graceful=False)

    with ledger_with_deposits(verifying) as bench, HeldOnTwo(cluster.address, notes) as pool:
        sequencer = opened(start(bench.deployment, tmp_path / "home"))
        poster = Poster(sequencer, keys, pool, slot_comes(sequencer.client), told)
        assert pool.workers == 2
        poster.run()
        sequencer.decide_coverage()
        assert not bench.client.is_covered(AT_ANY_AGE)
        poster.run()
        assert bench.client.is_covered(AT_ANY_AGE)
        circuits = [row.circuit for row in sequencer.journal.batches() if row.proof]
        assert circuits == ["tick", "settle", "sweep", "carry", "coverage"]
        sequencer.close()
        result = audit(Node(bench.deployment.rpc), bench.deployment.ledger)
        assert result.ok, result.findings.failed()
    machines = [attempt.machine for attempt in Held(0, notes).attempts()]
    assert sorted(machines) == ["one", "one", "two"]
