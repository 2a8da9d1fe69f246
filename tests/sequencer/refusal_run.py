# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide two withdrawals of which the second can't stand after the first, and plan their batch.

python refusal_run.py DEPLOYMENT_JSON HOME; ZKMARGIN_FAILPOINT names where it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sequencer.world import start
from zkmargin.chain.deployment import Deployment


def main(deployment_file: str, home: str) -> None:
    sequencer = start(Deployment.read(Path(deployment_file)), Path(home))
    sequencer.decide_submitted()
    sequencer.close_draft()
    sequencer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
