# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chain holds about a ledger, decoded: events, calldata, views. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from zkmargin.auditor.source import Source
from zkmargin.errors import BadInput, MissingData
from zkmargin.protocol.model import QueueEntry

_ENTRY = "(address,uint8,uint16,uint64,uint32,bytes32)"
# Name: indexed types, other types; in the order of the contract's interface.
_EVENTS = {
    "Genesis": ((), ("uint256", "uint256", "uint256", "bytes")),
    "AssetRegistered": (("uint16",), ("address", "uint256")),
    "Requested": (("uint64", "address"), ("uint8", "uint16", "uint64", "uint32", "bytes32")),
    "Settled": (("uint64",), ("uint256", "uint256", "uint256", "uint64", "uint256", "uint256[]", "uint256[8]")),
    "Ticked": (("uint64",), ("uint32", "uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "Credited": (("address", "uint16", "uint64"), ("uint256", "uint256")),
    "Withdrawn": (("address", "uint16"), ("uint256",)),
}
# The order in which the interface mixes indexed and other arguments, where it is not indexed first.
_SIGNATURES = {
    "Credited": "Credited(address,uint16,uint256,uint64,uint256)",
}
_CALLS = {
    "settle": ("uint256[]", f"{_ENTRY}[]", "uint256", "uint256[8]"),
    "tick": ("uint256[]", "uint256", "uint256[8]"),
}
KEY_TYPE = "(uint256[2],uint256[4],uint256[4],uint256[4],uint256[2][4])"


def _signature(name: str) -> str:
    indexed, plain = _EVENTS[name]
    return _SIGNATURES.get(name) or f"{name}({','.join((*indexed, *plain))})"


_TOPICS = {keccak(_signature(name).encode()): name for name in _EVENTS}


@dataclass(frozen=True)
class Event:
    """One event; `values` are the indexed arguments, then the others."""

    name: str
    values: tuple[Any, ...]
    tx: str
    block: int
    log: int


@dataclass(frozen=True)
class Posted:
    """A batch as its event says and as its calldata says; `calldata` is None where it was not posted directly."""

    number: int
    circuit: str
    values: tuple[Any, ...]
    commitment: int
    words: tuple[int, ...]
    proof: tuple[int, ...]
    calldata: tuple[Any, ...] | None


def _bytes(text: Any) -> bytes:
    try:
        return bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError as error:
        raise MissingData(f"the node's data is no hexadecimal: {str(text)[:40]}") from error


class Chain:
    """A ledger on a chain, as one source tells it."""

    def __init__(self, source: Source, ledger: str) -> None:
        if len(ledger.removeprefix("0x")) != 40:
            raise BadInput(f"'{ledger}' is not an address", hint="0x and 40 digits")
        self.source, self.ledger = source, ledger.lower()
        self.chain_id = int(source.ask("eth_chainId", []), 16)
        if len(_bytes(source.ask("eth_getCode", [self.ledger, "latest"]))) == 0:
            raise MissingData(f"there is no contract at {ledger}", hint="check the address and the chain", code="no_ledger")

    def events(self) -> list[Event]:
        """All events of the ledger in chain order."""
        query = {"address": self.ledger, "fromBlock": "0x0", "toBlock": "latest"}
        found = []
        for row in self.source.ask("eth_getLogs", [query]):
            topics = [_bytes(topic) for topic in row["topics"]]
            name = _TOPICS.get(topics[0])
            if name is None:
                raise MissingData(f"the ledger emitted an event that is not of this protocol: 0x{topics[0].hex()}")
            indexed, plain = _EVENTS[name]
            try:
                values = tuple(decode([kind], topic)[0] for kind, topic in zip(indexed, topics[1:], strict=True))
                values += decode(plain, _bytes(row["data"]))
            except (DecodingError, ValueError, OverflowError) as error:
                raise Undecodable(name, str(error)) from error
            found.append(Event(name, values, row["transactionHash"], int(row["blockNumber"], 16), int(row["logIndex"], 16)))
        return sorted(found, key=lambda event: (event.block, event.log))

    def calldata(self, tx: str) -> tuple[str, tuple[Any, ...]] | None:
        """(function, arguments) of a transaction sent to the ledger itself, else None."""
        row = self.source.ask("eth_getTransactionByHash", [tx])
        if row is None:
            raise MissingData(f"the chain has no transaction {tx}")
        if str(row["to"]).lower() != self.ledger:
            return None
        data = _bytes(row["input"])
        for name, kinds in _CALLS.items():
            if data[:4] == keccak(f"{name}({','.join(kinds)})".encode())[:4]:
                try:
                    arguments = decode(kinds, data[4:])
                    if encode(kinds, arguments) != data[4:]:
                        raise Undecodable(name, "calldata is not in its one canonical form")
                    return name, arguments
                except (DecodingError, ValueError, OverflowError) as error:
                    raise Undecodable(name, str(error)) from error
        return "", ()

    def view(self, function: str, results: Sequence[str], to: str | None = None, kinds: Sequence[str] = (),
             arguments: Sequence[Any] = ()) -> Any:
        """The first result of a view, of the ledger unless `to` names another contract."""
        data = keccak(f"{function}({','.join(kinds)})".encode())[:4] + encode(kinds, arguments)
        answer = self.source.ask("eth_call", [{"to": to or self.ledger, "data": "0x" + data.hex()}, "latest"])
        try:
            return decode(results, _bytes(answer))[0]
        except (DecodingError, ValueError, OverflowError) as error:
            raise MissingData(f"the contract at {to or self.ledger} does not answer {function}", code="no_ledger") from error


class Undecodable(Exception):
    """Data of the chain that is not in the form of the contract's interface: tampered with."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what


def entry_of(event: Event) -> QueueEntry:
    """The queue entry of a `Requested` event."""
    index, depositor, kind, asset, amount, target, owner = event.values
    return QueueEntry(index, int(depositor, 16), kind, asset, amount, target, int.from_bytes(owner, "big"))
