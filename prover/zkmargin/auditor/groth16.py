# SPDX-License-Identifier: GPL-3.0-or-later
"""Groth16 verification with py-ecc: nothing of the prover's side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from py_ecc import optimized_bn128 as bn

from zkmargin.protocol.constants import P

_Key = dict[str, Any]
Job = tuple[_Key, Sequence[int], Sequence[int]]


def _g1(x: int, y: int) -> Any:
    if not (0 <= x < bn.field_modulus and 0 <= y < bn.field_modulus):
        raise ValueError("a coordinate is not below the base field's modulus")
    if x == y == 0:
        return bn.Z1
    point = (bn.FQ(x), bn.FQ(y), bn.FQ.one())
    if not bn.is_on_curve(point, bn.b):
        raise ValueError("a point is not on the curve")
    return point


def _g2(real: tuple[int, int], imaginary: tuple[int, int]) -> Any:
    """The point with x = real[0] + i*imaginary[0], y likewise, checked to be in the subgroup."""
    if not all(0 <= value < bn.field_modulus for value in (*real, *imaginary)):
        raise ValueError("a coordinate is not below the base field's modulus")
    point = (bn.FQ2([real[0], imaginary[0]]), bn.FQ2([real[1], imaginary[1]]), bn.FQ2.one())
    if not bn.is_on_curve(point, bn.b2) or not bn.is_inf(bn.multiply(point, bn.curve_order)):
        raise ValueError("a point is not in the group")
    return point


def _key_g2(point: Sequence[Sequence[str]]) -> Any:
    (x0, x1), (y0, y1) = point[0], point[1]
    return _g2((int(x0), int(y0)), (int(x1), int(y1)))


def holds(key: _Key, proof: Sequence[int], public: Sequence[int]) -> str:
    """'' if the proof (the contract's eight words) holds for the public signals, else what is wrong."""
    if not all(0 <= signal < P for signal in public):
        return "a public signal is not below the scalar field's modulus"
    try:
        a, c = _g1(proof[0], proof[1]), _g1(proof[6], proof[7])
        b = _g2((proof[3], proof[5]), (proof[2], proof[4]))
    except ValueError as error:
        return str(error)
    inputs = _g1(*(int(v) for v in key["IC"][0][:2]))
    for signal, point in zip(public, key["IC"][1:], strict=True):
        inputs = bn.add(inputs, bn.multiply(_g1(*(int(v) for v in point[:2])), signal))
    left = bn.pairing(b, a, final_exponentiate=False)
    right = (
        bn.pairing(
            _key_g2(key["vk_beta_2"]), _g1(*(int(v) for v in key["vk_alpha_1"][:2])), final_exponentiate=False
        )
        * bn.pairing(_key_g2(key["vk_gamma_2"]), inputs, final_exponentiate=False)
        * bn.pairing(_key_g2(key["vk_delta_2"]), c, final_exponentiate=False)
    )
    quotient = bn.final_exponentiate(left / right)
    return "" if quotient == bn.FQ12.one() else "the pairing equation does not hold"


def _task(job: Job) -> str:
    return holds(*job)


def check_all(jobs: Sequence[Job], progress: Callable[[int, int], None]) -> list[str]:
    """`holds` for every job, in order, one process a core."""
    if not jobs:
        return []
    results = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for result in pool.map(_task, jobs, chunksize=2):
            results.append(result)
            progress(len(results), len(jobs))
    return results
