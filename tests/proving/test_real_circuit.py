# SPDX-License-Identifier: GPL-3.0-or-later
"""One witness of a real circuit through every backend, each proof through every verifier."""

from __future__ import annotations

import pytest

from circuits.coverage.scenes import coverage, sweep, traded
from circuits.settle.world import World
from zkmargin.proving.backends import backend_names
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import compute_witness, prove_witness
from zkmargin.proving.verify import VERIFIERS, verify


@pytest.fixture(scope="module")
def proofs():
    """The keys of coverage, and proofs of one witness by backend."""
    world = World()
    traded(world)
    sweep(world)
    keys = profile_keys("small")["coverage"]
    witness = compute_witness(keys, coverage(world).inputs)
    return keys, {name: prove_witness(keys, witness, name).proof for name in backend_names()}


def test_backends_prove_the_same_statement(proofs):
    _, made = proofs
    assert set(made) == {"native", "groth16py", "snarkjs"}
    assert len({proof.public for proof in made.values()}) == 1
    assert len({proof.a for proof in made.values()}) == len(made)  # each salted by its own randomness


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("backend", backend_names())
def test_each_proof_holds_by_each_verifier(proofs, backend, verifier):
    keys, made = proofs
    verify(made[backend], keys.verification_key, verifier)
