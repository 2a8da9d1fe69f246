# SPDX-License-Identifier: GPL-3.0-or-later
"""The native kernel, where it is installed: `kernel`, else None, and Python serves with the same results.

The environment variable ZKMARGIN_KERNEL chooses at import: `auto` (default), `off` for Python, or the name of
a kernel build such as `portable`.
"""

from __future__ import annotations

import os
from types import ModuleType

from zkmargin.errors import ToolMissing


def load_kernel() -> ModuleType | None:
    """The kernel that ZKMARGIN_KERNEL names; raises ToolMissing where one is named that can't be had."""
    wanted = os.environ.get("ZKMARGIN_KERNEL", "auto")
    if wanted == "off":
        return None
    try:
        from zkmargin import _kernel as kernel
    except ImportError as error:
        if wanted == "auto":
            return None
        raise ToolMissing(f"ZKMARGIN_KERNEL={wanted}, but the native kernel is not built") from error
    try:
        kernel.select(wanted)
    except ValueError as error:
        raise ToolMissing(
            f"ZKMARGIN_KERNEL={wanted}: {error}", hint=f"choose from {kernel.archs()}, off"
        ) from error
    loaded: ModuleType = kernel
    return loaded


kernel = load_kernel()
