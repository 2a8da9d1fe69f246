# SPDX-License-Identifier: GPL-3.0-or-later
"""All circuits of a profile, ready to prove: compiled and with keys.

python -m zkmargin.proving.profile small
"""

from __future__ import annotations

import sys

from zkmargin.circuits.compile import compile_circuit
from zkmargin.circuits.registry import circuits
from zkmargin.errors import ZkMarginError
from zkmargin.proving.keys import CircuitKeys, development_keys
from zkmargin.toolchain import Report


def profile_keys(profile: str, report: Report | None = None) -> dict[str, CircuitKeys]:
    """Circuits of `profile`, compiled and with keys, by circuit name; made where the cache has none."""
    artifacts = [compile_circuit(circuit, report) for circuit in circuits(profile)]
    return development_keys(artifacts, report)


def main(arguments: list[str]) -> int:
    """Make what each profile named needs; exit status as of the first error."""
    try:
        for profile in arguments or ["small"]:
            profile_keys(profile, lambda line: print(line, file=sys.stderr, flush=True))
    except ZkMarginError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
