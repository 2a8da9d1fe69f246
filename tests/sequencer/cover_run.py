# SPDX-License-Identifier: GPL-3.0-or-later
"""One life of a sequencer that covers what was decided, proves and posts. Run again, it goes on.

python cover_run.py DEPLOYMENT_JSON HOME; ZKMARGIN_FAILPOINT names where it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sequencer.world import PROFILE, slot_comes, start
from zkmargin.chain.deployment import Deployment
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.posting import Poster


def main(deployment_file: str, home: str) -> None:
    sequencer = start(Deployment.read(Path(deployment_file)), Path(home))
    sequencer.decide_coverage()
    with ProvingPool("native", 1) as pool:
        Poster(sequencer, profile_keys(PROFILE.name), pool, slot_comes(sequencer.client)).run()
    sequencer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
