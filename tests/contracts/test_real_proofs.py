# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifier contract on proofs of real circuits, made by others and by this project's own prover."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from py_ecc import optimized_bn128 as curve

from contracts import trapdoor
from contracts.ledger import OPERATOR
from proving.example import example_circuit, example_inputs
from zkmargin.chain.anvil import Anvil, anvil
from zkmargin.chain.artifacts import artifact
from zkmargin.chain.deploy import solidity_keys
from zkmargin.chain.node import chain_errors
from zkmargin.chain.transactions import Call, send
from zkmargin.circuits.compile import compile_circuit
from zkmargin.errors import ChainRejected
from zkmargin.protocol.constants import CIRCUIT_IDS
from zkmargin.proving.keys import development_keys
from zkmargin.proving.proof import Proof
from zkmargin.proving.prove import prove

FIRST = next(iter(CIRCUIT_IDS.values()))
pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("chain")]


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil() as made:
        yield made


def _verifier(node: Anvil, key: dict[str, Any]) -> Any:
    """A verifier with the key as one circuit's, and others beside it that share its setup."""
    made = artifact("Groth16Verifier")
    factory = node.web3.eth.contract(abi=made.abi, bytecode=made.bytecode)
    data = str(factory.constructor(_keys(key)).data_in_transaction)
    receipt = send(node.web3, Call(None, bytes.fromhex(data.removeprefix("0x"))), OPERATOR)
    return node.web3.eth.contract(address=node.web3.to_checksum_address(str(receipt.contract)), abi=made.abi)


def _keys(key: dict[str, Any]) -> tuple[Any, ...]:
    deltas = [trapdoor.verifying_key(factor)["vk_delta_2"] for factor in (13, 17, 37, 41, 43)]
    others = [key | {"vk_delta_2": delta} for delta in deltas]
    return solidity_keys(dict(zip(CIRCUIT_IDS, [key, *others], strict=True)))


def _verify(verifier: Any, proof: Proof) -> None:
    with chain_errors():
        verifier.functions.verify([(FIRST, list(proof.public), list(proof.calldata()))]).call()


def _refused(verifier: Any, proof: Proof) -> str:
    with pytest.raises(ChainRejected) as caught:
        _verify(verifier, proof)
    return caught.value.code


def _fold(key: dict[str, Any], public: list[int], keep: list[int]) -> tuple[dict[str, Any], list[int]]:
    """A key for three of many public signals, the others fixed at the values of the statement.

    IC0 + sum of all s_i * IC_i stays the same point, so the proof of the many is one of the three.
    """
    points = [(curve.FQ(int(x)), curve.FQ(int(y)), curve.FQ(int(z))) for x, y, z in key["IC"]]
    constant = points[0]
    for index, signal in enumerate(public):
        if index not in keep:
            constant = curve.add(constant, curve.multiply(points[1 + index], signal))
    x, y = curve.normalize(constant)
    folded = [[str(int(x)), str(int(y)), "1"], *(key["IC"][1 + index] for index in keep)]
    return key | {"IC": folded, "nPublic": 3}, [public[index] for index in keep]


def test_proofs_of_a_public_deployment(node: Anvil, data_folder: Path) -> None:
    """Proofs of the iden3 circuits, with the keys of their ceremony."""
    triples = json.loads((data_folder / "zk" / "iden3-auth" / "triples.json").read_text())
    assert len(triples) >= 2
    for triple in triples:
        public = [int(signal) for signal in triple["public"]]
        large = sorted(range(len(public)), key=lambda index: public[index])[-3:]
        key, signals = _fold(triple["vk"], public, sorted(large))
        verifier = _verifier(node, key)
        proof = Proof.from_json(triple["proof"], signals)
        _verify(verifier, proof)
        for place in range(3):
            changed = [signal + (index == place) for index, signal in enumerate(signals)]
            assert _refused(verifier, Proof(proof.a, proof.b, proof.c, tuple(changed))) == "proof_invalid"
        assert _refused(verifier, Proof(proof.c, proof.b, proof.a, tuple(signals))) == "proof_invalid"


def test_proofs_of_the_own_prover(node: Anvil) -> None:
    """A small circuit from source to chain: compiled, keys made, proved by two backends, verified."""
    keys = development_keys([compile_circuit(example_circuit())])["example"]
    verifier = _verifier(node, keys.verification_key)
    for backend in ("groth16py", "native"):
        proof = prove(keys, example_inputs(), backend).proof
        assert len(proof.public) == 3
        _verify(verifier, proof)
        for place in range(3):
            changed = tuple(signal + (index == place) for index, signal in enumerate(proof.public))
            assert _refused(verifier, Proof(proof.a, proof.b, proof.c, changed)) == "proof_invalid"
