# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopt the chain's state by the command.

python adopt_run.py HOME; ZKMARGIN_FAILPOINT names where it is killed.
"""

from __future__ import annotations

import sys

from zkmargin.cli.main import run

if __name__ == "__main__":
    sys.exit(run(["adopt", "--json", "--home", sys.argv[1]]))
