# SPDX-License-Identifier: GPL-3.0-or-later
"""The example circuit, compiled and with keys."""

from __future__ import annotations

import pytest

from proving.example import example_circuit
from zkmargin.circuits.compile import Artifacts, compile_circuit
from zkmargin.proving.keys import CircuitKeys, development_keys


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    return compile_circuit(example_circuit())


@pytest.fixture(scope="session")
def keys(artifacts: Artifacts) -> CircuitKeys:
    return development_keys([artifacts])["example"]
