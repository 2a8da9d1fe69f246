# SPDX-License-Identifier: GPL-3.0-or-later
"""On a real node: what a tick's proofs cost to verify together, against apart and against checking on chain;
and the seconds from a mark price to accepted coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from web3 import Web3

from zkmargin.bench.measure import Cost, Costs, cost
from zkmargin.bench.rows import Row, median
from zkmargin.bench.venue import BenchVenue, bench_venue
from zkmargin.chain.anvil import development_key
from zkmargin.chain.artifacts import artifact
from zkmargin.chain.token import approve_call, mint_call
from zkmargin.chain.transactions import Call, Receipt, account_of, send
from zkmargin.engine.margin import risk
from zkmargin.errors import InternalError
from zkmargin.protocol.constants import CIRCUIT_IDS, PAGE_SIZE, EntryKind
from zkmargin.protocol.model import Account, Tick
from zkmargin.proving.proof import Proof
from zkmargin.toolchain import Report

GAS_PROFILE, TIME_PROFILE = "small", "main"
ACCOUNTS, TICKS = 4096, 20
FAR, CLOSE = 40.0, 1.5  # moves from the edge
STEP = 0.006  # prices move by up to so much: more than half a usual move
SAMPLE = 64  # accounts that the reference contract holds
_BASE, _BYTE, _ZERO = 21_000, 16, 4
_KEY = development_key(0)


def rows(report: Report | None = None) -> Iterator[Row]:
    """Gas of verification with profile small; a covered ledger's time and gas with profile main."""
    yield from _gas(report)
    yield from timed(ACCOUNTS, TICKS, "", report)


# ---------------------------------------------------------------- gas


def _gas(report: Report | None) -> Iterator[Row]:
    two_pages = 2 * PAGE_SIZE - 16  # and the backstops
    with bench_venue(GAS_PROFILE, [FAR] * two_pages, say=report) as venue:
        _deposit(venue)
        venue.cover(venue.reports(0))
        rows = list(venue.sequencer.journal.batches())
        made = [row.circuit for row in rows]
        if made != ["tick", "settle", "sweep", "sweep", "carry", "coverage"]:
            raise InternalError(f"the benchmark's tick was {made}")
        statements = [_statement(row.circuit, row.proof or {}, row.body["public"]) for row in rows]
        five = [made for made, row in zip(statements, rows, strict=True) if row.circuit != "carry"]
        for name, some, bar in (("gas_tick", five, "at most 0.62"), ("gas_tick_with_carry", statements, "")):
            together = _verification(venue, some)
            apart = sum(_verification(venue, [statement]) for statement in some)
            yield Row(name, together, "gas", f"{len(some)} apart, {apart:,}", together / apart, bar=bar)
        receipt = rows[0].receipt or {}
        paid = receipt["gas"] * receipt["batches"]
        yield Row("gas_tick_transaction", paid, "gas (words, events, storage too)")


def _deposit(venue: BenchVenue) -> None:
    """One deposit into the insurance fund, to have something to settle."""
    web3, token = venue.client.web3, venue.client.token(0).address
    send(web3, mint_call(web3, token, account_of(_KEY).address, 10**6), _KEY)
    send(web3, approve_call(web3, token, venue.client.address), _KEY)
    venue.client.deposit(_KEY, EntryKind.FUND, 0, 10**6)


def _statement(circuit: str, proof: dict[str, Any], public: Sequence[str]) -> tuple[Any, ...]:
    words = Proof.from_json(proof).calldata()
    return CIRCUIT_IDS[circuit], [int(value) for value in public], list(words)


def _sent(venue: BenchVenue, address: str | None, data: str) -> Receipt:
    return send(venue.client.web3, Call(address, bytes.fromhex(data.removeprefix("0x"))), _KEY)


def _executed(receipt: Receipt, data: str) -> int:
    """Gas of a call itself, without what the transaction and its calldata cost."""
    raw = bytes.fromhex(data.removeprefix("0x"))
    return receipt.gas_used - _BASE - sum(_BYTE if byte else _ZERO for byte in raw)


def _verification(venue: BenchVenue, statements: Sequence[Any]) -> int:
    web3 = venue.client.web3
    address = Web3.to_checksum_address(venue.client.verifier())
    contract = web3.eth.contract(address=address, abi=artifact("Groth16Verifier").abi)
    data = contract.encode_abi("verify", args=[list(statements)])
    return _executed(_sent(venue, address, data), data)


def _onchain(venue: BenchVenue) -> float:
    """Gas an account of the reference contract, which reads and checks each on chain.

    A sample from all over the venue's ledger stands in it, with the venue's table of instruments. Its gas is
    the difference between checking all of the sample and half of it: what a call takes beside the accounts
    (the table is read once) is left out.
    """
    web3, tick, made = venue.client.web3, venue.sequencer.tick, artifact("OnChainMargin")
    factory = web3.eth.contract(abi=made.abi, bytecode=made.bytecode)
    place = _sent(venue, None, "0x" + made.bytecode.hex()).contract
    people = [account for _, account in venue.sequencer.ledger.accounts() if account.owner]
    held = people[:: max(len(people) // SAMPLE, 1)][:SAMPLE]
    table = [(row.equity, list(row.maintenance)) for row in tick.instruments]
    for name, rows in (("setInstruments", table), ("addAccounts", [_packed(account) for account in held])):
        _sent(venue, place, factory.encode_abi(name, args=[rows]))
    half, costs = len(held) // 2, []
    for until in (half, len(held)):
        data = factory.encode_abi("unhealthy", args=[0, until])
        costs.append(_executed(_sent(venue, place, data), data))
    answer = web3.eth.contract(address=Web3.to_checksum_address(str(place)), abi=made.abi)
    if answer.functions.unhealthy(0, len(held)).call() != _unhealthy(held, tick):
        raise InternalError("the reference contract disagrees on who is healthy")
    return (costs[1] - costs[0]) / (len(held) - half)


def _packed(account: Account) -> tuple[int, list[int]]:
    words = [0, 0, 0, 0]
    for slot, held in enumerate(account.slots):
        if held:
            packed = held.instrument + (held.tier << 12) + (held.side << 14) + (held.size << 15)
            words[slot // 3] |= packed << (72 * (slot % 3))
    return account.balance, words


def _unhealthy(accounts: Sequence[Account], tick: Tick) -> int:
    return sum(risk(account, tick).health < 0 for account in accounts)


# ---------------------------------------------------------------- time


def timed(
    accounts: int, ticks: int, prefix: str, report: Report | None, profile: str = TIME_PROFILE
) -> Iterator[Row]:
    """From reports to coverage: a ledger of so many accounts, one in a hundred near the edge and grouped.

    Rows are named with `prefix`. In the first tick all is swept, by provers that have their keys to load yet;
    the others are what is measured.
    """
    near = max(accounts // 100, 1)
    moves = [CLOSE] * near + [FAR] * (accounts - near)
    name = f"{prefix}tick_to_covered_s"
    with bench_venue(profile, moves, say=report) as venue:
        took, proofs, slots = list[Cost](), list[int](), list[int]()
        for number in range(ticks + 1):
            reports = venue.reports(STEP if number else 0)
            slots.append(reports[0].slot)
            covered, spent = cost(partial(venue.cover, reports))
            if not venue.client.is_covered(1 << 30):
                raise InternalError("the tick is not covered")
            took.append(spent)
            proofs.append(covered.proofs + 1)
            if report:
                said = f"{spent.wall_s:.1f} s, {proofs[-1]} proofs, {covered.swept} pages swept"
                report(f"{name}: tick {number} of {ticks}, {said}")
        first, later = took[0], Costs(tuple(took[1:]))
        yield Row(
            f"{name}_first", first.wall_s, f"s, {accounts:,} accounts swept, {proofs[0]} proofs, keys loaded",
            cpu_s=first.cpu_s, wall_s=first.wall_s,
        )  # fmt: skip
        usual = f"{accounts:,} accounts, {median(proofs[1:]):.0f} proofs"
        for row, part in ((name, 50), (f"{name}_p90", 90)):
            seconds = later.percentile(part)
            yield Row(
                row, seconds, f"s p{part}, {usual}", f"first tick, {first.wall_s:.0f} s",
                first.wall_s / seconds, later.cpu_s, later.wall_s, ticks,
            )  # fmt: skip
        gas = [_paid(venue, slot) for slot in slots[1:]]
        yield Row(f"{name}_gas", median(gas), f"gas a tick, at most {max(gas):,}", runs=ticks)
        each = _onchain(venue)
        yield Row(
            f"{prefix}onchain_reference", each,
            f"gas an account, {SAMPLE} of them read and checked in Solidity, {len(venue.prices)} instruments",
        )  # fmt: skip
        yield Row(
            f"{prefix}gas_vs_onchain", median(gas) / accounts, f"gas an account, {accounts:,} accounts",
            f"checked in Solidity, {each:,.0f}", each * accounts / median(gas), runs=ticks,
        )  # fmt: skip


def _paid(venue: BenchVenue, slot: int) -> int:
    """Gas of the transactions of a slot."""
    rows = [row for row in venue.sequencer.journal.batches() if row.slot == slot]
    return sum((row.receipt or {})["gas"] for row in rows)
