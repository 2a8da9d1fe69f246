# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment: what is refused, and the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import trapdoor
from contracts.ledger import ETHER, ETHER_UNIT, GENESIS, OPERATOR, QUOTE, Bench, params
from zkmargin.chain.anvil import anvil
from zkmargin.chain.deploy import AssetPlan, deploy, solidity_keys
from zkmargin.chain.deployment import Deployment
from zkmargin.chain.transactions import account_of
from zkmargin.errors import BadInput, ChainRejected, MissingData, Refused
from zkmargin.protocol.constants import load
from zkmargin.protocol.hashes import params_hash
from zkmargin.protocol.model import Params
from zkmargin.protocol.vkeys import vkey_hash

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


def _deploy(rpc: str, **changed: Any) -> Deployment:
    given: dict[str, Any] = {
        "profile": "small",
        "params": params(load().profile("small")),
        "genesis": GENESIS,
        "assets": [AssetPlan(QUOTE, "USDC", 1), AssetPlan(ETHER, "WETH", ETHER_UNIT, decimals=18)],
        "verifying_keys": trapdoor.KEYS,
        "max_tick_age": 300,
    }
    return deploy(rpc, OPERATOR, **given | changed)


def test_record(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "new" / "deployment.json"
    bench.deployment.write(path)
    assert Deployment.read(path) == bench.deployment
    record = json.loads(path.read_text())
    assert {"chain_id", "ledger", "rpc", "from_block"} <= record.keys()
    assert record["from_block"] > 0
    path.write_text("{}")
    with pytest.raises(BadInput, match="malformed"):
        Deployment.read(path)
    with pytest.raises(MissingData):
        Deployment.read(tmp_path / "none.json")


def test_genesis_event_holds_the_parameters(bench: Bench) -> None:
    event = next(bench.client.events(bench.deployment.from_block, names=("Genesis",)))
    read = Params.from_json(json.loads(event.args["params"]))
    assert params_hash(read) == event.args["paramsHash"] == bench.params_hash


def test_keys_on_chain_are_those_given(bench: Bench) -> None:
    from zkmargin.chain.artifacts import artifact

    abi = artifact("Groth16Verifier").abi
    web3 = bench.client.web3
    address = web3.to_checksum_address(bench.client.verifier())
    assert address == bench.deployment.verifier
    found = web3.eth.contract(address=address, abi=abi).functions.verifyingKeys().call()
    assert list(found) == list(solidity_keys(trapdoor.KEYS))


def _record(build: Path, folder: str, dev_key: bool) -> None:
    """A record of keys, as `build/keys` has them, that names the trapdoor's."""
    rows = {name: {"vk_hash": vkey_hash(key)} for name, key in trapdoor.KEYS.items()}
    (build / "keys" / folder).mkdir(parents=True)
    text = json.dumps({"dev_key": dev_key, "circuits": rows})
    (build / "keys" / folder / "keys.json").write_text(text)


def test_development_keys_and_tokens_stay_on_local_chains(fresh_build: Path) -> None:
    """Keys are taken for what their record says; with no record, or a worse one, for development keys."""
    real = [AssetPlan(QUOTE, "USDC", 1, token="0x" + "33" * 20)]
    with anvil(chain_id=1) as node:
        with pytest.raises(Refused) as caught:
            _deploy(node.url, assets=real)
        assert caught.value.code == "dev_key_refused"
        _record(fresh_build, "small-1", dev_key=False)
        with pytest.raises(Refused) as caught:
            _deploy(node.url)
        assert caught.value.code == "dev_token_refused"
        _record(fresh_build, "small-0", dev_key=True)
        with pytest.raises(Refused) as caught:
            _deploy(node.url, assets=real)
        assert caught.value.code == "dev_key_refused"
        assert node.web3.eth.get_transaction_count(account_of(OPERATOR).address) == 0


def test_development_keys_on_a_local_chain() -> None:
    with anvil(chain_id=1337) as node:
        deployment = _deploy(node.url)
    assert (deployment.chain_id, deployment.dev_key) == (1337, True)


def test_keys_of_another_shape(bench: Bench) -> None:
    key = trapdoor.verifying_key(trapdoor.TICK_DELTA)
    key["IC"] = key["IC"][:3]
    with pytest.raises(BadInput, match="2 public signals"):
        _deploy(bench.node.url, verifying_keys=trapdoor.KEYS | {"tick": key})


def test_keys_the_contracts_refuse(bench: Bench) -> None:
    degenerate = trapdoor.verifying_key(trapdoor.GAMMA)
    with pytest.raises(ChainRejected) as caught:
        _deploy(bench.node.url, verifying_keys=trapdoor.KEYS | {"tick": degenerate})
    assert caught.value.code == "keys_share_delta"
    with pytest.raises(ChainRejected) as caught:
        _deploy(bench.node.url, verifying_keys=trapdoor.KEYS | {"tick": trapdoor.KEYS["settle"]})
    assert caught.value.code == "keys_share_delta"
    alien = trapdoor.verifying_key(trapdoor.SETTLE_DELTA) | {"vk_alpha_1": trapdoor.KEYS["tick"]["IC"][1]}
    with pytest.raises(BadInput, match="different setups"):
        _deploy(bench.node.url, verifying_keys=trapdoor.KEYS | {"tick": alien})
