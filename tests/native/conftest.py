# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel under test, once per instruction-set build this machine can run.

$ZKMARGIN_TEST_KERNEL names another build of the extension, as `sanitize` makes it, to test instead of the
package's own.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

import zkmargin


def _other_kernel(path: str) -> ModuleType:
    """The extension at `path` in the place of the package's own, before anything has loaded that."""
    name = "zkmargin._kernel"
    assert name not in sys.modules, "the kernel has been loaded already"
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, path))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    setattr(zkmargin, "_kernel", module)  # noqa: B010 (the package has no such name of its own)
    os.environ.pop("LD_PRELOAD", None)  # a sanitizer is for this process, not for those it starts
    return module


def _kernel() -> ModuleType | None:
    if named := os.environ.get("ZKMARGIN_TEST_KERNEL"):
        return _other_kernel(named)
    try:
        return importlib.import_module("zkmargin._kernel")
    except ImportError:
        return None


_KERNEL = _kernel()


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
