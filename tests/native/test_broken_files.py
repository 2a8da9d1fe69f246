# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of damaged keys, constraint systems and witnesses: refused, or used for exactly what they say.

`broken_files` holds the rules. A case that fails is named by kind and number and fails again by itself:
`Fuzzer(kernel, folder).run(kind, range(n, n + 1))`.
"""

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from native.broken_files import Fuzzer

SPARE = 512 << 20
"""Address space that all cases together may take beyond what the process has."""


@pytest.fixture
def little_memory() -> Iterator[None]:
    """A file that makes the kernel ask for much more memory than it is long raises MemoryError."""
    if (
        "ZKMARGIN_TEST_KERNEL" in os.environ
    ):  # a sanitizer takes more address space and sets a limit of its own
        yield
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPARE, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.fixture
def fuzzer(best_kernel: ModuleType, tmp_path: Path, little_memory: None) -> Fuzzer:
    return Fuzzer(best_kernel, tmp_path)


CASES = [("key", 2000), ("constraints", 300), ("witness", 600)]
EVERY = {
    "key": {"refused", "witness refused", "same", "other"},
    "constraints": {"refused", "holds", "other"},
    "witness": {"refused", "holds", "other"},
}


def check(fuzzer: Fuzzer, kind: str, cases: range) -> None:
    outcomes = fuzzer.run(kind, cases)
    assert outcomes.keys() == EVERY[kind]
    assert min(outcomes.values()) >= len(cases) // 200, outcomes


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "count"), CASES)
def test_damaged_files(fuzzer: Fuzzer, kind: str, count: int) -> None:
    check(fuzzer, kind, range(count))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "count"), CASES)
def test_many_damaged_files(fuzzer: Fuzzer, kind: str, count: int) -> None:
    check(fuzzer, kind, range(count, 20 * count))
