# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel under test, once per instruction-set build this machine can run."""

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

try:
    _KERNEL: ModuleType | None = importlib.import_module("zkmargin._kernel")
except ImportError:
    _KERNEL = None


@pytest.fixture
def best_kernel() -> ModuleType:
    """The build in use by default, for what does not depend on the instruction set."""
    if _KERNEL is None:
        pytest.skip("the native kernel is not built (no g++ at set-up)")
    return _KERNEL


@pytest.fixture(params=["ifma", "adx", "portable"])
def kernel(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    if _KERNEL is None:
        pytest.skip("the native kernel is not built (no g++ at set-up)")
    if request.param not in _KERNEL.archs():
        pytest.skip(f"this machine cannot run the {request.param} build")
    _KERNEL.select(request.param)
    yield _KERNEL
    _KERNEL.select("auto")
