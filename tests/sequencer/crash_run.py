# SPDX-License-Identifier: GPL-3.0-or-later
"""One life of a sequencer: decide two ticks and the queue between them, prove, post. Run again, it goes on.

python crash_run.py DEPLOYMENT_JSON HOME; ZKMARGIN_FAILPOINT names where it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from zkmargin.chain.anvil import development_key
from zkmargin.chain.client import LedgerClient
from zkmargin.chain.deployment import Deployment
from zkmargin.demo.episode import load_episode
from zkmargin.demo.market import open_market
from zkmargin.proving.backends import best_backend
from zkmargin.proving.pool import ProvingPool
from zkmargin.proving.profile import profile_keys
from zkmargin.sequencer.journal import BatchRow
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.service import Sequencer, Setup


def main(deployment_file: str, home: str) -> None:
    deployment, episode = Deployment.read(Path(deployment_file)), load_episode()
    market = open_market(episode)
    params = episode.params(market.keys())
    client = LedgerClient.at(deployment.rpc, deployment.ledger)
    setup = Setup(
        Path(home),
        deployment.chain_id,
        deployment.ledger,
        deployment.from_block,
        episode.profile,
        params,
        episode.genesis_slot,
        development_key(0),
        deployment.rpc,
    )
    sequencer = Sequencer(setup, client)
    for slot in (episode.genesis_slot + 1, episode.genesis_slot + 2):
        if sequencer.tick.slot < slot:
            reports = market.reports(params, sequencer.domain, slot, sequencer.tick.slot)
            sequencer.decide_tick(reports, slot)
        if slot == episode.genesis_slot + 1:
            sequencer.decide_queue()
            sequencer.close_draft()

    def before_send(row: BatchRow) -> None:
        web3, time = client.web3, row.slot * episode.slot_seconds
        if row.circuit == "tick" and web3.eth.get_block("latest")["timestamp"] < time:
            for method, parameters in (("evm_setNextBlockTimestamp", [time]), ("anvil_mine", ["0x1"])):
                web3.provider.make_request(method, parameters)  # type: ignore[arg-type]

    with ProvingPool(best_backend(), 1) as pool:
        Poster(sequencer, profile_keys(episode.profile), pool, before_send).run()
    sequencer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
