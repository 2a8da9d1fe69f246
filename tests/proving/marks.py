# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of the tests on a Ray cluster of this machine."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_ray = [
    pytest.mark.slow,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: run `make setup-cluster`"),
]
