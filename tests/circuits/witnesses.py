# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs at which a template compiled by itself is satisfied; one not named here is satisfied by zeros."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from circuits.coverage.scenes import carry, coverage, forged_regroup, forged_sweep, sweep, swept, traded
from circuits.settle.scenes import MILLION, backstop_takes, backstop_with, crash, leg
from circuits.settle.world import BTC, CHAIN, GOLD, LONG, World, parameters
from circuits.templates import template
from circuits.tick.bench import next_row
from zkmargin.circuits.settle_inputs import challenge_weights, claims, class_bits, tick_row
from zkmargin.circuits.tick_inputs import SignedReport, tick_inputs
from zkmargin.engine.ticks import genesis_tick, lower_median
from zkmargin.oracle.reports import make_report
from zkmargin.protocol.constants import BITS, FINE, HOLDINGS, RADIUS_ONE, EntryKind, Op, P, Profile, load, tag
from zkmargin.protocol.eddsa import BASE8, SUBGROUP_ORDER, keypair, sign
from zkmargin.protocol.hashes import (
    EMPTY_LEAF,
    leaf_hash,
    operation_message,
    owner_hash,
    params_hash,
    report_message,
    sponge,
    tick_hash,
)
from zkmargin.protocol.model import Tick, Touch
from zkmargin.protocol.packing import pack
from zkmargin.protocol.poseidon import poseidon
from zkmargin.protocol.words import tick_words
from zkmargin.proving.witness import element
from zkmargin.sequencer.drafting import bind

Inputs = dict[str, Any]
INSTRUMENTS = 4  # of every template here that has a table
_KEY = keypair(b"a trader")
_OTHER = (
    17777552123799933955779906779655732241715742912184938656739573121738514868268,
    2626589144620713026669568689430873010625803728049924121243784502389097019475,
)  # of the curve, of full order


def _zeros(sizes: Sequence[int]) -> Any:
    return 0 if not sizes else [_zeros(sizes[1:]) for _ in range(sizes[0])]


def zeros(sizes: dict[str, tuple[int, ...]], **given: Any) -> Inputs:
    """All inputs 0 but those given."""
    return {name: _zeros(size) for name, size in sizes.items()} | given


def _profile(**changed: int) -> Profile:
    return replace(load().profile("small"), instruments=INSTRUMENTS, **changed)


# ---------------------------------------------------------------- curve and signatures


def _montgomery(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    u = (1 + y) * pow(1 - y, -1, P) % P
    return u, u * pow(x, -1, P) % P


def _signature(message: int) -> Inputs:
    made = sign(_KEY, message)
    return {"ax": _KEY.ax, "ay": _KEY.ay, "r8x": made.r8x, "r8y": made.r8y, "s": made.s}


def _eddsa() -> list[Inputs]:
    """A signature, none, and two that miss the equation in one coordinate: S B8 = -right, and that turned.

    With R8 = r B8 + (0, -1) the right side is q + (0, -1), q = r B8 + h 8A; S B8 = -q has its x, not its y.
    """
    signed = {"enabled": 1, "msg": 7, **_signature(7)}
    mirrored = signed | {"s": SUBGROUP_ORDER - signed["s"]}
    nonce = 12345
    x, y = _multiple(nonce)
    r8 = P - x, P - y
    h = poseidon([*r8, _KEY.ax, _KEY.ay, 7])
    turned = signed | {"r8x": r8[0], "r8y": r8[1], "s": -(nonce + h * 8 * _KEY.scalar) % SUBGROUP_ORDER}
    return [signed, signed | {"enabled": 0}, mirrored, turned]


def _multiple(scalar: int) -> tuple[int, int]:
    """scalar * B8, from the signature circuit's own multiplication."""
    witness = template("BaseMul").generator.compute({"s": scalar})
    return element(witness, 1), element(witness, 2)


def _authority() -> list[Inputs]:
    """A signed operation, and none; then what one check refuses."""
    item = {"domain": 5, "id": 70, "nonce": 3, "slot": 10, "lastSlot": 12, "terms": 99, "isBackstop": 0}
    auth = pack("auth", account_id=70, nonce=3, last_slot=12)
    kind = {"signed": 1, "kind": tag("trade"), "owner": owner_hash(_KEY.ax, _KEY.ay)}
    signed = item | kind | _signature(operation_message("trade", 5, auth, 99))
    last = (1 << BITS["nonce"]) - 1
    auth = pack("auth", account_id=70, nonce=last, last_slot=12)
    exhausted = item | kind | _signature(operation_message("trade", 5, auth, 99)) | {"nonce": last}
    unsigned = signed | {"signed": 0}
    return [signed, unsigned | {"lastSlot": 0}, unsigned, exhausted, signed | {"owner": 1}]


def _report() -> list[Inputs]:
    prices, rates = [5, 6], [7, 8]
    message = report_message(3, 4, 9, 8, prices, rates)
    offset = 1 << 39
    shown = {"prices": prices, "rates": [rate + offset for rate in rates], "domain": 3, "params": 4}
    item = {"present": 1, "slots": 9 + (8 << 32), **shown, **_signature(message)}
    return [item, item | {"present": 0}]


# ---------------------------------------------------------------- ledger and touches


@cache
def _scenes() -> list[tuple[World, list[list[Touch]]]]:
    """Ledgers, and what can be done on each."""
    world = World(_profile(touches=4))
    scene = crash(world)
    alice, bob, carol, least = scene.alice, scene.bob, scene.carol, scene.least
    world.credit(bob, 500, GOLD)
    entry = world.entry
    closing = leg(world, Op.LIQUIDATE, alice, least)
    usual = [
        [world.withdraw(bob, 5)],
        [world.withdraw(bob, 5, GOLD)],
        [world.deposit(entry(EntryKind.OPEN, 0, MILLION, 0, 123, 0xD0))],
        [world.deposit(entry(EntryKind.FUND, 0, MILLION))],
        [world.deposit(entry(EntryKind.ACCOUNT, GOLD, 20, carol))],
        world.trade(bob, carol, BTC, 7, world.mark(BTC)),
        [closing, world.bid(carol, BTC, LONG, least + 3, least, 1)],
        [world.deposit(entry(EntryKind.ACCOUNT, 0, 20, 9999), ok=False)],
        [
            leg(world, Op.REFUSE, BTC, 0, side=LONG),
            leg(world, Op.DELEVERAGE, alice, least),
            leg(world, Op.OFFSET, bob, least, side=LONG),
        ],
        [Touch(Op.NOOP, 0, world.ledger.account_at(0).id)],
    ]
    rich = World(_profile(touches=4))
    alice, least = (made := crash(rich)).alice, made.least
    rich.credit(BTC, 100_000 * MILLION)
    taken = [leg(rich, Op.LIQUIDATE, alice, least), leg(rich, Op.TAKE_BACKSTOP, BTC, least, side=LONG)]
    poor = World(_profile(touches=4))
    alice = crash(poor).alice
    poor.credit(BTC, 20 * MILLION)
    size = backstop_takes(poor, alice)
    exhausted = [leg(poor, Op.LIQUIDATE, alice, size, 1), leg(poor, Op.TAKE_BACKSTOP, BTC, size, side=LONG)]
    fallen = World(_profile(touches=4))
    scene = crash(fallen, price=58_000_000)
    sold = leg(fallen, Op.LIQUIDATE, scene.alice, 800), fallen.bid(scene.carol, BTC, LONG, 800, 800)
    fallen.run(*sold)
    owing = World(_profile(touches=4))
    backstop_with(owing, GOLD, 100, MILLION * FINE)
    owing.ledger.reserve = -5 * FINE
    return [
        (world, usual),
        (rich, [taken]),
        (poor, [exhausted]),
        (fallen, [[fallen.touch(Op.ABSORB, scene.alice)]]),
        (owing, [[owing.touch(Op.ABSORB, GOLD)]]),
    ]


def _scene() -> World:
    """A ledger after a crash."""
    return _scenes()[0][0]


@cache
def _settled() -> list[tuple[World, Inputs, list[Touch]]]:
    return [
        (world, world.batch(touches, touches=len(touches)).inputs, touches)
        for world, operations in _scenes()
        for touches in operations
    ]


_SHARED = ("rows", "tau", "penaltyRate", "bidderShare", "slot", "domain")
_ANCHOR = ("anchorEquity", "anchorMaintenance", "anchorMoves")
_STATE = ("pagesRoot", "reserve", "nextId", "consumed")
_POSTED = ("instrument", "side", "size", "price", "id", "counterparty")


def _legs() -> list[Inputs]:
    """The second leg of a trade, and of a liquidation."""
    sizes = template_inputs("Legs")
    terms = {"instrument": 1, "lastInstrument": 1, "size": 9, "lastSize": 9, "price": 8, "lastPrice": 8}
    terms |= {"side": 1, "lastId": 5, "id": 6}
    op = [[int(number == which) for number in range(len(Op))] for which in (Op.TRADE_MATCH, Op.TAKE_BID)]
    match = {"op": op[0], "opened": [1, 0, 0, 0], "lastCounterparty": 6, "counterparty": 5}
    return [zeros(sizes, **terms, **match), zeros(sizes, **terms, op=op[1], opened=[0, 1, 0, 0])]


def _deposit() -> list[Inputs]:
    """An entry that opens an account, and one that credits it."""
    sizes = template_inputs("Deposit")
    entry = {"deposit": 1, "depositor": 7, "isQuote": 1, "fits": 1, "nextId": 5}
    return [
        zeros(sizes, **entry, open=1, ownerLo=9, leaf=EMPTY_LEAF),
        zeros(sizes, **entry, credit=1, target=3, id=3, addr=7),
    ]


def _keep() -> list[Inputs]:
    """A page that is kept though an instrument without a charge is bought."""
    table = {"hot": [0, 1, 0, 0], "equity": [0, 5, 0, 0], "move": [0, 1, 0, 0]}
    return [zeros(template_inputs("Keep"), keep=1, radius=3, newBalance=1000, **table)]


def _touches() -> list[tuple[Op, Inputs]]:
    """Every touch of the scenes, at the state before its batch: so of later legs the root is wrong."""
    found = []
    opens = {Op.TRADE: 0, Op.LIQUIDATE: 1, Op.REFUSE: 2, Op.DELEVERAGE: 3}
    for world, inputs, touches in _settled():
        for number, touch in enumerate(touches):
            made = {name: inputs[name] for name in (*_SHARED, *_STATE, *_ANCHOR)}
            made |= {"opened": [0] * 4, "last": [0] * 8, "anchorTick": tick_hash(world.tick)}
            own = set(inputs) - {*made, "weights", "C", "r", "y", "moves", "time"}
            made |= {name: inputs[name][number] for name in own if name in template_inputs("Touch")}
            if number:
                last = touches[number - 1]
                made["opened"] = [int(opens.get(last.op) == place) for place in range(4)]
                before = [inputs[name][number - 1] for name in _POSTED]
                made["last"] = [*before, 1 << 60, last.flag]
            made["classBits"] = inputs["classBits"][number]
            found.append((touch.op, made))
    return found


# A touch of an operation, a number of it, and what that is made larger by: each is refused by one line.
_MISUSED: tuple[tuple[Op, str, int | None, int], ...] = (
    *((Op.NOOP, name, None, 1) for name in ("size", "price", "side", "flag", "l1Address", "target", "ownerHi",
      "ownerLo", "counterparty", "maxSize", "minReward", "limitPrice", "open", "credit", "instrument")),
    (Op.NOOP, "op", Op.NOOP, -1),
    (Op.NOOP, "limitPrice", None, 1 << 32),
    (Op.DEPOSIT, "price", None, 1),
    (Op.DEPOSIT, "side", None, 1),
    (Op.DEPOSIT, "flag", None, -1),
    (Op.WITHDRAW, "l1Address", None, 1),
    (Op.WITHDRAW, "reserve", None, -1),
    (Op.WITHDRAW, "claim", 2, -(1 << 90)),
    (Op.WITHDRAW, "kept", None, 1),
    (Op.TRADE, "claim", 2, -(1 << 90)),
    (Op.LIQUIDATE, "flag", None, -1),
    (Op.LIQUIDATE, "price", None, 1),
    (Op.LIQUIDATE, "size", None, -1),
    (Op.LIQUIDATE, "size", None, 1),
    (Op.TAKE_BID, "last", 7, 1),
    (Op.TAKE_BACKSTOP, "last", 7, 1),
    (Op.REFUSE, "side", None, -1),
    (Op.REFUSE, "size", None, 1),
    (Op.REFUSE, "price", None, 1),
    (Op.REFUSE, "claim", 0, 1 << 90),
    (Op.DELEVERAGE, "price", None, 1),
    (Op.OFFSET, "last", 7, 1),
    (Op.ABSORB, "claim", 0, 1 << 90),
)  # fmt: skip


def _misused(inputs: Inputs, name: str, place: int | None, by: int) -> Inputs:
    if place is None:
        return inputs | {name: (inputs[name] + by) % P}
    row = list(inputs[name])
    row[place] = (row[place] + by) % P
    return inputs | {name: row}


# Three operations at once, the third of them -1 times: (a touch of the first, the second, the third).
_MIXED = (
    (Op.TAKE_BACKSTOP, Op.ABSORB, Op.NOOP),
    (Op.NOOP, Op.ABSORB, Op.DEPOSIT),
    (Op.DEPOSIT, Op.TRADE, Op.WITHDRAW),
    (Op.NOOP, Op.TAKE_BID, Op.TRADE),
    (Op.DEPOSIT, Op.TRADE, Op.TRADE_MATCH),
    (Op.DEPOSIT, Op.DELEVERAGE, Op.LIQUIDATE),
    (Op.REFUSE, Op.TRADE, Op.TAKE_BID),
    (Op.REFUSE, Op.LIQUIDATE, Op.TAKE_BACKSTOP),
    (Op.REFUSE, Op.DELEVERAGE, Op.TAKE_BACKSTOP),
    (Op.ABSORB, Op.LIQUIDATE, Op.REFUSE),
    (Op.DEPOSIT, Op.NOOP, Op.REFUSE),
    (Op.DEPOSIT, Op.LIQUIDATE, Op.DELEVERAGE),
    (Op.ABSORB, Op.NOOP, Op.OFFSET),
    (Op.DEPOSIT, Op.NOOP, Op.ABSORB),
)


def _touch() -> list[Inputs]:
    """Honest touches, then false ones: operations misused, and mixed."""
    honest = _touches()
    made = [inputs for _, inputs in honest]
    made += [_misused(inputs, *how) for name, *how in _MISUSED for op, inputs in honest if op == name]
    for first, second, third in _MIXED:
        mixed = [int(op in (first, second)) - int(op == third) for op in Op]
        made += [inputs | {"op": mixed} for op, inputs in honest if op == first]
    return made


def template_inputs(name: str) -> dict[str, tuple[int, ...]]:
    """Input signals of a template compiled by itself."""
    return template(name).artifacts.inputs


def _settle() -> list[Inputs]:
    return [inputs for _, inputs, touches in _settled() if len(touches) == 1]


def _path() -> list[Inputs]:
    made = _touches()[0][1]
    names = {"bits": "pathBits", "children": "children", "anchor": "anchor", "radius": "radius"}
    world, _, touches = _settled()[0]
    leaf = leaf_hash(world.ledger.account_at(touches[0].leaf_index))
    item = {name: made[other] for name, other in names.items()}
    return [item | {"keep": 1, "before": leaf, "after": 99}]


def _table() -> list[Inputs]:
    """Two opened accounts: one with a long and a short of each kind, one with nothing."""
    world = _scene()
    tick = world.tick
    accounts = [world.ledger.account(number) for number in (INSTRUMENTS, INSTRUMENTS + 1)]
    claimed = [[value % P for value in claims(account, tick, tick)] for account in accounts]
    digest = tick_hash(tick)
    classes = [[sum(bit << n for n, bit in enumerate(row)) for row in class_bits(a)] for a in accounts]
    return [
        {
            "root": 1,
            "tick": digest,
            "rows": [tick_row(row) for row in tick.instruments],
            "leaf": [leaf_hash(account) for account in accounts],
            "anchorTick": digest,
            "anchorEquity": [row.equity % P for row in tick.instruments],
            "anchorMaintenance": [list(row.maintenance) for row in tick.instruments],
            "anchorMoves": [row.move for row in tick.instruments],
            "claim": claimed,
            "class": classes,
            "x": [[held.size if held else 0 for held in a.slots] for a in accounts],
            "weights": challenge_weights(
                1, digest, digest, list(zip(accounts, claimed, strict=True)), 8 * INSTRUMENTS
            ),
        }
    ]


# ---------------------------------------------------------------- pages


def _sweep_check() -> list[Inputs]:
    """Two accounts of one page, each long and short of every instrument, all in one tier.

    Those of all tiers satisfy it; where an instrument has no charge (`free`), its shorts are forbidden.
    """
    equity, move, radius, size = 50, 7, 3, 1 << 40
    found = []
    for free, tier in itertools.product(range(INSTRUMENTS), range(4)):
        charges = [[int(k != free or k == 0), 2, 3, 4] for k in range(INSTRUMENTS)]
        classes = [8 * k + 2 * tier + side for k in range(1, INSTRUMENTS) for side in (0, 1)]
        classes += [0] * (HOLDINGS - len(classes))
        x = [[size + 10 * a + j if number else 0 for j, number in enumerate(classes)] for a in (0, 1)]
        balance = [1 << 60, 1 << 61]
        claims = []
        for row, cash in zip(x, balance, strict=True):
            worth = [(-equity if number % 2 else equity) - charges[number // 8][tier] for number in classes]
            health = cash + sum(held * value for held, value in zip(row, worth, strict=True))
            claims.append(RADIUS_ONE * health - radius * move * sum(row))
        challenge = sponge("lambda", [5, radius, 11, *claims])
        weights = [0] * (8 * INSTRUMENTS)
        for row, power in zip(x, (challenge, 1), strict=True):
            for number, held in zip(classes, row, strict=True):
                weights[number] = (weights[number] + power * held) % P
        bits = [[number >> bit & 1 for bit in range(12)] for number in classes]
        found.append(
            {"tick": 5, "radius": radius, "equity": [equity] * INSTRUMENTS, "pageRoot": [11],
             "maintenance": charges, "moves": [move] * INSTRUMENTS, "balance": [balance],
             "classBits": [[bits, bits]], "x": [x], "claim": [claims], "weights": weights}
        )  # fmt: skip
    return found


def _permutation() -> list[Inputs]:
    bits = [[place >> bit & 1 for bit in range(12)] for place in range(16)]
    leaves = list(range(100, 116))
    turned = [*range(1, 16), 0]
    return [
        {"root": [1], "newRoot": [2], "leaf": [leaves], "newLeaf": [[leaves[o] for o in order]],
         "originBits": [[bits[o] for o in order]]}
        for order in (range(16), turned)
    ]  # fmt: skip


def _pages(anchors: int = 1) -> World:
    world = World(_profile(touches=4, anchors=anchors))
    traded(world, others=80)
    return world


def _sweep() -> list[Inputs]:
    return [forged_sweep(_pages(), 0, radius=3)]


def _regroup() -> list[Inputs]:
    """Headers cleared, and kept; then what one check refuses."""
    world, radius = _pages(), 9
    for page in (0, 1):
        sweep(world, page, radius)
    anchor = world.ledger.header(0)[0]
    exchanged, still = list(range(128)), list(range(128))
    exchanged[3], exchanged[70] = exchanged[70], exchanged[3]
    made = [forged_regroup(world, exchanged, kept) for kept in (None, radius)]
    made.append(forged_regroup(world, still, header=(0, 5)) | {"radius": 5})
    made.append(forged_regroup(world, still, radius=0, header=(2 * anchor % P, 0)) | {"keep": 2})
    made.append(forged_regroup(_pages(), still, radius=0))
    world.prices({BTC: 60_000_001})
    sweep(world, 1, radius)
    return [*made, forged_regroup(world, still, radius=0)]


def _coverage() -> list[Inputs]:
    world = _pages()
    anchor = swept(world, 0, 1)
    made = [coverage(world, anchor).inputs]
    world.prices({BTC: 60_000_001})
    return [*made, coverage(world, anchor).inputs]


def _headers() -> list[Inputs]:
    """Headers anchored at each opened tick, and an empty one."""
    at = [[int(place == number % 3) for place in range(3)] for number in range(7)]
    radius = [9 + number for number in range(7)]
    displacement = [3, 5]
    sizes = template_inputs("Headers")
    return [
        zeros(sizes, tick=[11, 12, 13], displacement=displacement, radius=[*radius, 0], at=[*at, [0] * 3])
    ]


def _carried_block() -> list[Inputs]:
    """A block anchored anew, of pages at all ticks; one of its pages' tick; an empty one. Paths are wrong."""
    sizes = template_inputs("CarriedBlock")
    ticks = {"tick": [11, 12, 13], "displacement": [3, 5], "ratio": [1 << 15, 1 << 14]}
    empty = [0, 0, 0]
    now, then = [1, 0, 0], [0, 1, 0]
    made = []
    for radius in (8, 0):
        at = [now, then, [0, 0, 1], *[empty] * 5]
        mixed = zeros(sizes, **ticks, at=at, radius=[9, 43, 77, *[0] * 5], newRadius=radius, pick=now)
        made.append(mixed)
        at = [then, then, *[empty] * 6]
        made.append(zeros(sizes, **ticks, at=at, radius=[50, 43, *[0] * 6], newRadius=radius, pick=then))
    return [*made, zeros(sizes, **ticks, pick=now)]


def _carry() -> list[Inputs]:
    """A block anchored at the tick of its pages, and anew at a later one."""
    world = _pages(anchors=2)
    anchor = swept(world, 0, 1)
    first = carry(world, anchor)
    world.prices({BTC: 60_000_001})
    swept(world, 0)
    return [batch.inputs for batch in (*first, *carry(world, anchor))]


# ---------------------------------------------------------------- ticks


def _reported(signers: Sequence[int], median: Callable[[Sequence[int]], int] = lower_median) -> Inputs:
    """A tick of two oracles from the reports of some of them."""
    keys = [keypair(b"first"), keypair(b"second")]
    plain = parameters(INSTRUMENTS)
    params = replace(plain, oracle_keys=tuple((key.ax, key.ay) for key in keys))
    profile = _profile(oracles=2, quorum=1)
    start = genesis_tick(params, 100)
    slot = start.slot + 1
    prices = [[0, 60 << 32, 30 << 32, 2 << 32], [0, 61 << 32, 31 << 32, 3 << 32]]
    rates = [[0, 5, -6, 0], [0, 9, 9, 0]]
    reports = {o: make_report(keys[o], o, 3, params, slot, start.slot, prices[o], rates[o]) for o in signers}
    raw = [median([prices[o][k] for o in signers]) for k in range(INSTRUMENTS)]
    rate = [median([rates[o][k] for o in signers]) for k in range(INSTRUMENTS)]
    columns = zip(params.instruments, start.instruments, raw, rate, strict=True)
    rows = tuple(next_row(*column, 1) for column in columns)
    risk = params.tau, params.penalty_rate, params.bidder_share
    after = Tick(slot, slot * params.slot_seconds, *risk, rows)
    words = tick_words(
        3, tick_hash(start), params_hash(params), tick_hash(after), after, start.slot,
        sum(1 << o for o in signers), profile,
    )  # fmt: skip
    signed = {o: SignedReport(r.prices, r.rates, r.signature) for o, r in reports.items()}
    return tick_inputs(params, start, after, 3, signed, raw, rate, bind(words, CHAIN, 3))


def _tick() -> list[Inputs]:
    """One report, and both; then one that counts twice, and the higher of two prices."""
    twice = [_reported([o]) | {"present": [2 * (o == 0), 2 * (o == 1)]} for o in (0, 1)]
    return [_reported([0]), _reported([0, 1]), *twice, _reported([0, 1], max) | {"half": 1}]


_U, _V = _montgomery(BASE8)
MADE: dict[str, Callable[[], list[Inputs]]] = {
    "EdwardsAdd": lambda: [{"x1": BASE8[0], "y1": BASE8[1], "x2": _OTHER[0], "y2": _OTHER[1]}],
    "EdwardsDouble": lambda: [{"x": BASE8[0], "y": BASE8[1]}],
    "OnCurve": lambda: [{"x": BASE8[0], "y": BASE8[1]}, {"x": 0, "y": 1}],
    "ToMontgomery": lambda: [{"x": BASE8[0], "y": BASE8[1]}],
    "ToEdwards": lambda: [{"u": _U, "v": _V}],
    "MontgomeryTwice": lambda: [{"u": _U, "v": _V}],
    "BaseMul": lambda: [{"s": 12345}, {"s": 2**250 + 7}],
    "ChallengeMul": lambda: [{"h": 2**252 + 5, "x": BASE8[0], "y": BASE8[1]}],
    "AtMost": lambda: [
        {"digit": [3 if number >> i & 1 else -3 for i in range(8)], "unit": 3, "slack": 0}
        for number in (0b10110100, 5)
    ],
    "EdDSAVerify": _eddsa,
    "Authority": _authority,
    "Report": _report,
    "FloorDivide": lambda: [{"dividend": 1000, "divisor": 7}],
    "Penalty": lambda: [
        {"liquidates": 1, "equity": 50, "equityPositive": 1, "divisor": 1000, "released": 90,
         "releasedTrial": 80, "penaltyRate": 1 << 26, "bidderShare": 1 << 31}
    ],
    "Legs": _legs,
    "Deposit": _deposit,
    "Keep": _keep,
    "Path": _path,
    "TableCheck": _table,
    "SweepCheck": _sweep_check,
    "Permutation": _permutation,
    "Touch": _touch,
    "Settle": _settle,
    "Sweep": _sweep,
    "Regroup": _regroup,
    "Coverage": _coverage,
    "Headers": _headers,
    "CarriedBlock": _carried_block,
    "Carry": _carry,
    "Tick": _tick,
}  # fmt: skip


def inputs_of(name: str) -> list[Inputs]:
    """Inputs of a template, those first that satisfy it."""
    return MADE[name]() if name in MADE else [zeros(template_inputs(name))]
