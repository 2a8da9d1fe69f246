# SPDX-License-Identifier: GPL-3.0-or-later
"""Proving one sweep witness by every backend, by threads and by processes: all in one run."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator

from zkmargin.bench.rows import Row, median
from zkmargin.engine.coverage import page_radius
from zkmargin.engine.margin import holding_of
from zkmargin.engine.ticks import genesis_tick, next_tick
from zkmargin.errors import ToolMissing
from zkmargin.protocol.constants import COLLATERAL, PERPETUAL, RATE_ONE, load
from zkmargin.protocol.eddsa import keypair
from zkmargin.protocol.model import Account, InstrumentParams, Params, Tick
from zkmargin.protocol.words import domain_word
from zkmargin.proving.backends import get_backend
from zkmargin.proving.backends.native import THREADS
from zkmargin.proving.keys import CircuitKeys
from zkmargin.proving.pool import Job, ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.proving.prove import compute_witness
from zkmargin.proving.verify import verify_groth16py
from zkmargin.proving.witness import Inputs
from zkmargin.sequencer.covering import make_sweep
from zkmargin.state.ledger import Ledger
from zkmargin.toolchain import Report

PROFILE = "small"
CHAIN, LEDGER = 31337, 0x1111111111111111111111111111111111111111
RUNS = 3
SIDE_BY_SIDE = 4


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
    return Ledger.of(profile, rows, {}, (0, 2 * profile.instruments + accounts, 0)), tick


def sweep_inputs() -> Inputs:
    """The inputs of a sweep of a full page."""
    ledger, tick = full_page()
    radius = page_radius(ledger.page(0).accounts, tick)
    assert radius is not None
    return make_sweep(ledger, tick, domain_word(CHAIN, LEDGER), CHAIN, radius, [0]).inputs


def sweep_witness(keys: CircuitKeys) -> bytes:
    """The witness of a sweep of a full page."""
    return compute_witness(keys, sweep_inputs())


def cpu_seconds(who: int) -> float:
    """User and system time of this process or of its children, as `resource` names them."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def timed(keys: CircuitKeys, witness: bytes, backend: str, runs: int) -> tuple[list[float], list[float]]:
    """(CPU, wall) seconds of each proof, all verified; the first, which loads the key, is left out.

    snarkjs is a process a proof, which loads the key each time: that is part of its figures.
    """
    prover, cpu, wall = get_backend(backend), [], []
    prover.prove(keys, witness) if backend != "snarkjs" else None
    for _ in range(runs):
        before = cpu_seconds(resource.RUSAGE_SELF) + cpu_seconds(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        proof = prover.prove(keys, witness)
        wall.append(time.perf_counter() - start)
        cpu.append(cpu_seconds(resource.RUSAGE_SELF) + cpu_seconds(resource.RUSAGE_CHILDREN) - before)
        assert verify_groth16py(proof, keys.verification_key)
    return cpu, wall


def _pool_wall(keys: CircuitKeys, witness: bytes, backend: str, workers: int) -> float:
    with ProvingPool(backend, workers) as pool:
        pool.prove_all([Job(keys, witness=witness)] * workers)  # loads the keys
        start = time.perf_counter()
        pool.prove_all([Job(keys, witness=witness)] * SIDE_BY_SIDE)
        return time.perf_counter() - start


def rows(report: Report | None = None) -> Iterator[Row]:
    """Backends against each other, threads, processes, accounts a second."""
    keys = profile_keys(PROFILE, report)["sweep"]
    witness = sweep_witness(keys)
    os.environ[THREADS] = "1"
    try:
        get_backend("native")
    except ToolMissing:
        return
    native_cpu, native_wall = timed(keys, witness, "native", RUNS)
    for name, least in (("groth16py", 2), ("snarkjs", 10)):
        cpu, wall = timed(keys, witness, name, RUNS if name == "groth16py" else 1)
        yield Row(
            f"prove_cpu_vs_{name}", median(native_cpu), "CPU s native", f"{name} {median(cpu):.2f} CPU s",
            median(cpu) / median(native_cpu), median(cpu), median(wall), len(cpu), f"at least {least}",
        )  # fmt: skip
    yield Row(
        "accounts_per_core_second", 64 / median(native_cpu), "accounts", "0.7 (Binance, proof of solvency)",
        64 / median(native_cpu) / 0.7, median(native_cpu), median(native_wall), RUNS,
    )  # fmt: skip
    one = _threads_wall(keys, witness, 1)
    two = _threads_wall(keys, witness, 2)
    yield Row("prove_threads", two, "s, two threads", "one thread", one / two, bar="at least 1.7", runs=RUNS)
    alone = _pool_wall(keys, witness, "native", 1)
    pair = _pool_wall(keys, witness, "native", 2)
    yield Row(
        "prove_processes", pair, f"s, {SIDE_BY_SIDE} proofs by two", "one process", alone / pair,
        bar="at least 1.8",
    )  # fmt: skip


def _threads_wall(keys: CircuitKeys, witness: bytes, threads: int) -> float:
    from zkmargin import _kernel

    prover = _kernel.Prover(str(keys.zkey), threads)
    prover.prove(witness, threads)
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        prover.prove(witness, threads)
        seconds.append(time.perf_counter() - start)
    return median(seconds)
