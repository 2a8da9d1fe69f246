# SPDX-License-Identifier: GPL-3.0-or-later
"""A bid is filled once: its signature holds for one nonce, in the batch that fills it and in later ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.judge import Judge, judge_of
from circuits.settle.forge import Forgery
from circuits.settle.scenes import crash, leg
from circuits.settle.world import BTC, LONG
from zkmargin.protocol.constants import Op

SIGNATURE = "lib/eddsa|lib/base_mul|lib/challenge_mul|lib/curve|lib/atmost|lib/canonical"
SIZE = 5


@pytest.fixture(scope="module")
def whole() -> Judge:
    """Settle of the profile: two liquidations are more touches than the other tests' circuit has."""
    return judge_of("settle", "small")


def _ask(world, touches) -> dict:
    forged = Forgery(world, world.profile.touches)
    for touch in touches:
        forged.add(touch)
    return forged.inputs()


def _closing(world, scene):
    """A part of Alice's position, as much as a small bid takes."""
    return leg(world, Op.LIQUIDATE, scene.alice, SIZE, 1)


def _bid(world, scene, nonce_ahead=0):
    bid = world.bid(scene.carol, BTC, LONG, SIZE, SIZE)
    return world.signed(replace(bid, auth=None), nonce_ahead) if nonce_ahead else bid


def test_twice_in_a_batch(world, whole):
    scene = crash(world)
    bid, next_bid, closing = _bid(world, scene), _bid(world, scene, 1), _closing(world, scene)
    whole.accepts(_ask(world, [closing, bid, closing, next_bid]))
    whole.refuses(_ask(world, [closing, bid, closing, bid]), SIGNATURE)


def test_again_in_a_later_batch(world, whole):
    scene = crash(world)
    bid, closing = _bid(world, scene), _closing(world, scene)
    world.run(closing, bid)
    whole.accepts(_ask(world, [closing, _bid(world, scene)]))
    whole.refuses(_ask(world, [closing, bid]), SIGNATURE)


def test_what_is_left_of_a_bid(world, whole):
    """A bid taken in part is used up as well: what it had left does not stand."""
    scene = crash(world)
    size = scene.least
    bid = world.bid(scene.carol, BTC, LONG, 2 * size, size)
    world.run(leg(world, Op.LIQUIDATE, scene.alice, size), bid)
    world.prices({BTC: 56_000_000})
    again = [_closing(world, scene), replace(_bid(world, scene), max_size=SIZE, auth=bid.auth)]
    whole.refuses(_ask(world, again), SIGNATURE)


def test_a_nonce_that_does_not_rise(world, whole):
    """The leaf written with the old nonce, so that the signature would hold again."""
    scene = crash(world)
    bid, nonce = _bid(world, scene), world.ledger.account(scene.carol).nonce
    forged = Forgery(world, world.profile.touches)
    forged.add(_closing(world, scene))
    forged.add(bid, nonce=nonce)
    whole.refuses(forged.inputs(), "rootBefore|newRootHalves")
