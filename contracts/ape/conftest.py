# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger as an Ape project deploys it: accounts, tokens, verifiers, ledger, and batches for it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

_ROOT = Path(__file__).parents[2]
sys.path[:0] = [
    str(_ROOT / "prover"),
    str(_ROOT / "tests"),
]  # the package's pure Python part and its test keys

from contracts import trapdoor  # noqa: E402
from zkmargin.chain.calldata import blank_settle_words, blank_words  # noqa: E402
from zkmargin.protocol.constants import CIRCUIT_IDS, load  # noqa: E402
from zkmargin.protocol.model import InstrumentTick, Tick, Touch  # noqa: E402
from zkmargin.protocol.words import (  # noqa: E402
    carry_words,
    challenge,
    commitment,
    coverage_words,
    domain_word,
    evaluate,
    settle_words,
    tick_words,
)

PROFILE = load().profile("small")
SLOT_SECONDS = 60
MAX_TICK_AGE = 300
PARAMS_HASH = 1 << 202


@pytest.fixture
def operator(accounts):
    return accounts[0]


@pytest.fixture
def alice(accounts):
    return accounts[1]


@pytest.fixture
def bob(accounts):
    return accounts[2]


@pytest.fixture
def token(project, operator, alice):
    token = project.DevelopmentToken.deploy("Development USDC", "USDC", 6, sender=operator)
    token.mint(alice, 10**12, sender=operator)
    return token


def g1(point):
    return [int(point[0]), int(point[1])]


def g2(point):
    return [int(part) for pair in point[:2] for part in reversed(pair)]


@pytest.fixture
def verifier(project, operator):
    """A verifier of keys whose secrets are known: the pairing is real, the circuit is not needed."""
    rows = [trapdoor.KEYS[name] for name in sorted(CIRCUIT_IDS, key=CIRCUIT_IDS.get)]
    circuits = [(g2(row["vk_delta_2"]), [g1(point) for point in row["IC"]]) for row in rows]
    shared = (g1(rows[0]["vk_alpha_1"]), g2(rows[0]["vk_beta_2"]), g2(rows[0]["vk_gamma_2"]))
    return project.Groth16Verifier.deploy((*shared, circuits), sender=operator)


@pytest.fixture
def genesis_slot(chain):
    return chain.pending_timestamp // SLOT_SECONDS


@pytest.fixture
def ledger(project, operator, alice, token, verifier, genesis_slot):
    config = (
        verifier,
        1 << 200,
        1 << 201,
        PARAMS_HASH,
        b"{}",
        genesis_slot,
        SLOT_SECONDS,
        MAX_TICK_AGE,
        PROFILE.instruments,
        PROFILE.touches,
        PROFILE.sweep_pages,
        PROFILE.regroup_pages,
        PROFILE.carry_blocks,
        [(0, token, 1)],
    )
    ledger = project.Ledger.deploy(config, sender=operator)
    token.approve(ledger, 2**256 - 1, sender=alice)
    return ledger


@pytest.fixture
def batches(chain, ledger):
    """Batches as `post` takes them, proved for the ledger as it stands."""

    def prove(circuit, words, posted, entries=()):
        bound = commitment(words)
        point = challenge(chain.chain_id, ledger.address, bound, words)
        proof = trapdoor.prove(circuit, (bound, point, evaluate(words, point)))
        return (CIRCUIT_IDS[circuit], posted, list(entries), bound, list(proof.calldata()))

    def settle(touches, recipients=(), new_root=12345):
        touches = [*touches, *[Touch(0, 0, 0)] * (PROFILE.touches - len(touches))]
        recipients = [*recipients, *[0] * (PROFILE.touches - len(recipients))]
        domain = domain_word(chain.chain_id, ledger.address)
        words = settle_words(domain, ledger.root(), ledger.tickHash(), new_root, touches, recipients, PROFILE)
        rows = [
            (f"0x{e.depositor:040x}", e.kind, e.asset, e.amount, e.target, e.owner.to_bytes(32, "big"))
            for e in (touch.entry for touch in touches)
            if e is not None
        ]
        return prove("settle", words, blank_settle_words(words), rows)

    def tick(slot, new_tick=777):
        rows = tuple(InstrumentTick(mark=k << 40, raw=k << 40) for k in range(PROFILE.instruments))
        state = Tick(slot, slot * SLOT_SECONDS, 1, 1, 1, rows)
        domain = domain_word(chain.chain_id, ledger.address)
        words = tick_words(
            domain, ledger.tickHash(), PARAMS_HASH, new_tick, state, ledger.slot(), 0b111, PROFILE
        )
        return prove("tick", words, blank_words("tick", words))

    def carry(new_root):
        domain = domain_word(chain.chain_id, ledger.address)
        blocks = [(block, 7, True) for block in range(PROFILE.carry_blocks)]
        words = carry_words(domain, ledger.root(), ledger.tickHash(), new_root, blocks, PROFILE)
        return prove("carry", words, blank_words("carry", words))

    def cover(solvent=True):
        domain = domain_word(chain.chain_id, ledger.address)
        words = coverage_words(domain, ledger.root(), ledger.tickHash(), solvent, PROFILE)
        return prove("coverage", words, blank_words("coverage", words))

    return SimpleNamespace(settle=settle, tick=tick, carry=carry, cover=cover)
