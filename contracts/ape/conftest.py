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
from zkmargin.protocol.constants import load  # noqa: E402
from zkmargin.protocol.model import InstrumentTick, Tick, Touch  # noqa: E402
from zkmargin.protocol.words import (  # noqa: E402
    challenge,
    commitment,
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


@pytest.fixture
def verifiers(project, operator):
    """Verifiers of keys whose secrets are known: the pairing is real, the circuit is not needed."""

    def deploy(circuit):
        key = trapdoor.KEYS[circuit]
        g1 = lambda point: [int(point[0]), int(point[1])]  # noqa: E731
        g2 = lambda point: [int(part) for pair in point[:2] for part in reversed(pair)]  # noqa: E731
        points = (g2(key[name]) for name in ("vk_beta_2", "vk_gamma_2", "vk_delta_2"))
        arguments = (g1(key["vk_alpha_1"]), *points, [g1(point) for point in key["IC"]])
        return project.Groth16Verifier.deploy(arguments, sender=operator)

    return SimpleNamespace(**{circuit: deploy(circuit) for circuit in trapdoor.KEYS})


@pytest.fixture
def genesis_slot(chain):
    return chain.pending_timestamp // SLOT_SECONDS


@pytest.fixture
def ledger(project, operator, alice, token, verifiers, genesis_slot):
    config = (
        verifiers.settle,
        verifiers.tick,
        verifiers.sweep,
        verifiers.coverage,
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
        PROFILE.pages,
        [(0, token, 1)],
    )
    ledger = project.Ledger.deploy(config, sender=operator)
    token.approve(ledger, 2**256 - 1, sender=alice)
    return ledger


@pytest.fixture
def batches(chain, ledger):
    """Arguments of `settle` and `tick`, proved for the ledger's next batch."""

    def prove(circuit, words):
        bound = commitment(words)
        point = challenge(chain.chain_id, ledger.address, ledger.batch() + 1, bound, words)
        return bound, list(trapdoor.prove(circuit, (bound, point, evaluate(words, point))).calldata())

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
        return blank_settle_words(words), rows, *prove("settle", words)

    def tick(slot, new_tick=777):
        rows = tuple(InstrumentTick(mark=k << 40, raw=k << 40) for k in range(PROFILE.instruments))
        state = Tick(slot, slot * SLOT_SECONDS, 1, 1, 1, rows)
        domain = domain_word(chain.chain_id, ledger.address)
        words = tick_words(
            domain, ledger.tickHash(), PARAMS_HASH, new_tick, state, ledger.slot(), 0b111, PROFILE
        )
        return blank_words("tick", words), *prove("tick", words)

    return SimpleNamespace(settle=settle, tick=tick)
