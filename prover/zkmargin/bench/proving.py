# SPDX-License-Identifier: GPL-3.0-or-later
"""Proving one sweep witness by every backend, by threads and by processes: all in one run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from zkmargin.bench.measure import in_turns, prover_threads
from zkmargin.bench.rows import Row
from zkmargin.engine.coverage import page_radius
from zkmargin.engine.margin import holding_of
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.errors import ToolMissing
from zkmargin.protocol.constants import COLLATERAL, PAGE_SIZE, PERPETUAL, RATE_ONE, load
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.model import Account, InstrumentParams, Params, Tick
from zkmargin.protocol.words import domain_word
from zkmargin.proving.backends import Backend, get_backend
from zkmargin.proving.backends.native import Native
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.pool import Job, ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import compute_witness
from zkmargin.proving.verify import verify_groth16py
from zkmargin.proving.witness import Inputs
from zkmargin.sequencer.covering import make_sweep
from zkmargin.state.ledger import Ledger
from zkmargin.toolchain import Report

PROFILE = "small"
CHAIN, LEDGER = 31337, 0x1111111111111111111111111111111111111111
ROUNDS = 5
SIDE_BY_SIDE = 8  # so many that the end, when only one process is at work, is little of the time


def _params() -> Params:
    size = load().profile(PROFILE).instruments
    rates = tuple(percent * RATE_ONE // 100 for percent in (1, 2, 3, 4))
    twice = tuple(2 * rate for rate in rates)
    perpetual = InstrumentParams(
        "P", PERPETUAL, 0, RATE_ONE // 10, RATE_ONE // 100, rates, twice, (10**3, 10**5, 10**7)
    )
    collateral = InstrumentParams("C", COLLATERAL, RATE_ONE // 10, RATE_ONE // 10, 0)
    rows = [InstrumentParams.unlisted()]
    rows += [
        InstrumentParams(f"P{k}", *list(vars(perpetual).values())[1:]) if k < size - 3
        else InstrumentParams(f"C{k}", *list(vars(collateral).values())[1:])
        for k in range(1, size)
    ]  # fmt: skip
    oracle = keypair(b"bench")
    return Params(
        RATE_ONE * 11 // 10, RATE_ONE // 50, RATE_ONE // 2, 60, ((oracle.ax, oracle.ay),), tuple(rows)
    )


def full_page(accounts: int = 64) -> tuple[Ledger, Tick]:
    """A ledger whose first page is full of healthy accounts with twelve holdings each, and its tick."""
    params, profile = _params(), load().profile(PROFILE)
    prices = [0] + [(k + 1) << 50 for k in range(1, profile.instruments)]
    rates = [0] * profile.instruments
    tick = next_tick(params, genesis_tick(params, 100), 101, [(prices, rates)]).tick
    rows = {}
    for number in range(accounts):
        if 0 < number < profile.instruments:
            rows[number] = Account(id=number)
            continue
        identity = profile.instruments + number
        account = Account(id=identity, address=identity, owner=identity, balance=1 << 100)
        for slot in range(12):
            instrument = 1 + (number + slot) % (profile.instruments - 1)
            short = slot % 2 and instrument < profile.instruments - 3
            size = (1000 + 37 * number + slot) * (-1 if short else 1)
            account = account.with_slot(slot, holding_of(tick.instruments[instrument], instrument, size))
        rows[number] = account
    return Ledger.of(profile, rows, {}, {}, (0, 2 * profile.instruments + accounts, 0)), tick


def sweep_inputs() -> Inputs:
    """The inputs of a sweep of a full page."""
    ledger, tick = full_page()
    radius = page_radius(ledger.page(0).accounts, tick)
    assert radius is not None
    return make_sweep(ledger, tick, domain_word(CHAIN, LEDGER), CHAIN, radius, [0]).inputs


def sweep_witness(keys: CircuitKeys) -> bytes:
    """The witness of a sweep of a full page."""
    return compute_witness(keys, sweep_inputs())


def _backends() -> dict[str, Backend]:
    """By name, native with one thread to a proof; raises ToolMissing where the kernel is not built."""
    with prover_threads(1):
        return {"native": Native(), "groth16py": get_backend("groth16py"), "snarkjs": get_backend("snarkjs")}


def rows(report: Report | None = None) -> Iterator[Row]:
    """Backends against each other, threads, processes, accounts a second."""
    keys = profile_keys(PROFILE, report)["sweep"]
    witness = sweep_witness(keys)
    try:
        backends = _backends()
    except ToolMissing as missing:
        if report:
            report(f"nothing to measure: {missing}")
        return
    yield from _against_others(keys, witness, backends, report)
    yield from _threads(keys, witness, report)
    yield from _processes(keys, witness, report)


def _against_others(
    keys: CircuitKeys, witness: bytes, backends: dict[str, Backend], report: Report | None
) -> Iterator[Row]:
    """CPU seconds of a proof by each backend, every proof verified.

    What loads a key once has loaded it before. snarkjs is a process a proof, which loads the key each time:
    that is part of its figures.
    """

    def check(name: str, proof: Proof) -> None:
        assert verify_groth16py(proof, keys.verification_key), name

    for name, backend in backends.items():
        if name != "snarkjs":
            check(name, backend.prove(keys, witness))
    if report:
        report(f"{ROUNDS} rounds of {', '.join(backends)}")
    ways = {name: partial(backend.prove, keys, witness) for name, backend in backends.items()}
    took = in_turns(ROUNDS, ways, check)
    native = took["native"]
    for name, least in (("groth16py", 2), ("snarkjs", 10)):
        other = took[name]
        yield Row(
            f"prove_cpu_vs_{name}", native.cpu_s, "CPU s native",
            f"{name}, {other.cpu_s:.2f} CPU s, {other.wall_s:.2f} s",
            other.cpu_s / native.cpu_s, native.cpu_s, native.wall_s, ROUNDS, f"at least {least}",
        )  # fmt: skip
    yield Row(
        "accounts_per_core_second", PAGE_SIZE / native.cpu_s, "accounts", "0.7 (Binance, proof of solvency)",
        PAGE_SIZE / native.cpu_s / 0.7, native.cpu_s, native.wall_s, ROUNDS,
    )  # fmt: skip


def _threads(keys: CircuitKeys, witness: bytes, report: Report | None) -> Iterator[Row]:
    """One proof by two threads, and by one."""
    provers = {}
    for threads in (1, 2):
        with prover_threads(threads):
            provers[f"{threads} threads"] = Native()
    for prover in provers.values():
        prover.prove(keys, witness)  # loads the key
    if report:
        report(f"{ROUNDS} rounds of one thread and two")
    one, two = in_turns(
        ROUNDS, {name: partial(prover.prove, keys, witness) for name, prover in provers.items()}
    ).values()
    yield Row(
        "prove_threads", two.wall_s, "s, two threads", f"one thread, {one.wall_s:.2f} s",
        one.wall_s / two.wall_s, two.cpu_s, two.wall_s, ROUNDS, "at least 1.7",
    )  # fmt: skip


def _processes(keys: CircuitKeys, witness: bytes, report: Report | None) -> Iterator[Row]:
    """Several proofs by two processes of a thread each, and by one."""
    jobs = [Job(keys, witness=witness)] * SIDE_BY_SIDE
    with prover_threads(1), ProvingPool("native", 1) as alone, ProvingPool("native", 2) as pair:
        for pool in (alone, pair):
            pool.prove_all(jobs)  # loads the keys
        if report:
            report(f"{ROUNDS} rounds of {SIDE_BY_SIDE} proofs by one process and by two")
        one, two = in_turns(
            ROUNDS, {"one": partial(alone.prove_all, jobs), "two": partial(pair.prove_all, jobs)}
        ).values()
    yield Row(
        "prove_processes", two.wall_s, f"s, {SIDE_BY_SIDE} proofs by two", f"one process, {one.wall_s:.2f} s",
        one.wall_s / two.wall_s, two.cpu_s, two.wall_s, ROUNDS, "at least 1.8",
    )  # fmt: skip
