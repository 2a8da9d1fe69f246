# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chain holds about a ledger, decoded: events, calldata, views. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from zkmargin.auditor.source import NoAnswer, Source
from zkmargin.errors import BadInput, MissingData, StaleData
from zkmargin.protocol.model import QueueEntry

_ENTRY = "(address,uint8,uint16,uint64,uint32,bytes32)"
# Name: indexed types, other types; in the order of the contract's interface.
_EVENTS = {
    "Genesis": ((), ("uint256", "uint256", "uint256", "bytes")),
    "AssetRegistered": (("uint16",), ("address", "uint256")),
    "Requested": (("uint64", "address"), ("uint8", "uint16", "uint64", "uint32", "bytes32")),
    "Settled": (
        ("uint64",),
        ("uint256", "uint256", "uint256", "uint64", "uint256", "uint256[]", "uint256[8]"),
    ),
    "Ticked": (("uint64",), ("uint32", "uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "Swept": (("uint64",), ("uint256", "uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "Regrouped": (("uint64",), ("uint256", "uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "Carried": (("uint64",), ("uint256", "uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "CoverageProved": (("uint64",), ("uint256", "uint256", "uint256", "uint256[]", "uint256[8]")),
    "Covered": (("uint32",), ("uint256", "uint256", "uint64")),
    "Credited": (("address", "uint16", "uint64"), ("uint256", "uint256")),
    "Withdrawn": (("address", "uint16"), ("uint256",)),
}
# The order in which the interface mixes indexed and other arguments, where it is not indexed first.
_SIGNATURES = {
    "Credited": "Credited(address,uint16,uint256,uint64,uint256)",
}
_POST = f"(uint8,uint256[],{_ENTRY}[],uint256,uint256[8])[]"  # circuit, words, entries, C, proof
BLOCKS_A_QUERY = 5_000
_DIGITS = frozenset("0123456789abcdefABCDEF")
KEYS_TYPE = (
    "(uint256[2],uint256[4],uint256[4],(uint256[4],uint256[2][4])[])"  # alpha, beta, gamma, (delta, IC)...
)


def _signature(name: str) -> str:
    indexed, plain = _EVENTS[name]
    return _SIGNATURES.get(name) or f"{name}({','.join((*indexed, *plain))})"


_TOPICS = {keccak(_signature(name).encode()): name for name in _EVENTS}


def event_name(topic: str) -> str:
    """The event whose first topic this is; '' if none of the ledger's."""
    return _TOPICS.get(_bytes(topic, "a topic"), "")


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
    """A batch as its event and calldata say; `calldata` is None where it was not posted directly.

    `calldata`: circuit, words, entries, C, proof.
    """

    event: Event
    number: int
    circuit: str
    values: tuple[Any, ...]
    commitment: int
    words: tuple[int, ...]
    proof: tuple[int, ...]
    calldata: tuple[Any, ...] | None


class Undecodable(Exception):
    """Data of the chain that is not in the form of the contract's interface: tampered with."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what


def _digits(text: Any, what: str) -> str:
    if not isinstance(text, str) or not text.startswith("0x") or not set(text[2:]) <= _DIGITS:
        raise Undecodable(what, f"no hexadecimal: {str(text)[:40]}")
    return text[2:]


def _bytes(text: Any, what: str) -> bytes:
    digits = _digits(text, what)
    if len(digits) % 2:
        raise Undecodable(what, "half a byte is missing")
    return bytes.fromhex(digits)


def _number(text: Any, what: str) -> int:
    digits = _digits(text, what)
    if not 0 < len(digits) <= 64:
        raise Undecodable(what, f"no number: {text[:40]}")
    return int(digits, 16)


def _hash(text: Any, what: str) -> str:
    digits = _bytes(text, what)
    if len(digits) != 32:
        raise Undecodable(what, f"no hash: {str(text)[:40]}")
    return "0x" + digits.hex()


def _field(row: Any, name: str, what: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise MissingData(
            f"{what} has no field '{name}'", hint="the answers are those of no Ethereum node, or damaged"
        )
    return row[name]


def _decode(kinds: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    """Arguments in their one canonical encoding."""
    try:
        values = decode(kinds, data)
        held = encode(kinds, values) == data
    except (DecodingError, ValueError, OverflowError, MemoryError) as error:
        raise Undecodable(what, str(error)) from error
    if not held:
        raise Undecodable(what, "it is not in its one canonical form")
    return values


class Chain:
    """A ledger on a chain as one source tells it, all at one block: the latest when the audit began.

    `from_block`: where to look for events from; that of the ledger's creation, or any before it.
    """

    def __init__(self, source: Source, ledger: str, from_block: int = 0) -> None:
        digits = ledger.removeprefix("0x")
        if len(digits) != 40 or not set(digits) <= _DIGITS:
            raise BadInput(f"'{ledger}' is not an address", hint="0x and 40 digits")
        self.source, self.ledger, self.from_block = source, "0x" + digits.lower(), from_block
        self.chain_id = _number(source.ask("eth_chainId", []), "the chain id")
        self.block, self.block_hash = self._head("latest")
        if not self.code(self.ledger):
            raise MissingData(
                f"there is no contract at {ledger}", hint="check the address and the chain", code="no_ledger"
            )

    def _head(self, which: str) -> tuple[int, str]:
        """Number and hash of a block."""
        row = self.source.ask("eth_getBlockByNumber", [which, False])
        what = f"the block {which}"
        number = _number(_field(row, "number", what), what)
        if number >> 64:
            raise Undecodable(what, "its number is out of range")
        return number, _hash(_field(row, "hash", what), what)

    def check_settled(self) -> None:
        """Raise StaleData if the chain has another block by now in the place of the one it was read at."""
        if self._head(hex(self.block)) != (self.block, self.block_hash):
            raise StaleData(
                f"the chain replaced block {self.block} while it was audited", hint="audit it again"
            )

    def code(self, address: str) -> bytes:
        """The code at an address; empty where no contract stands."""
        answer = self.source.ask("eth_getCode", [address, hex(self.block)])
        return b"" if answer is None else _bytes(answer, f"the code at {address}")

    def events(self) -> list[Event]:
        """All events of the ledger in chain order."""
        found = []
        for start in range(self.from_block, self.block + 1, BLOCKS_A_QUERY):
            end = min(start + BLOCKS_A_QUERY - 1, self.block)
            query = {"address": self.ledger, "fromBlock": hex(start), "toBlock": hex(end)}
            rows = self.source.ask("eth_getLogs", [query])
            if not isinstance(rows, list):
                raise MissingData("the answer to eth_getLogs is no list")
            found += [self._event(row, range(start, end + 1)) for row in rows]
        return sorted(found, key=lambda event: (event.block, event.log))

    def _event(self, row: Any, blocks: range) -> Event:
        block = _number(_field(row, "blockNumber", "a log"), "the block of a log")
        log = _number(_field(row, "logIndex", "a log"), "the place of a log")
        what = f"log {log} of block {block}"
        if block not in blocks or row.get("removed", False) is not False:
            raise Undecodable(what, "it is of no block that was asked for")
        if str(_field(row, "address", what)).lower() != self.ledger:
            raise Undecodable(what, "another contract's")
        listed = _field(row, "topics", what)
        if not isinstance(listed, list):
            raise Undecodable(what, "its topics are no list")
        topics = [_bytes(topic, what) for topic in listed]
        name = _TOPICS.get(topics[0]) if topics else None
        if name is None:
            raise Undecodable(what, "an event that is not of this protocol")
        indexed, plain = _EVENTS[name]
        if len(topics) != len(indexed) + 1:
            raise Undecodable(name, "a topic is missing")
        values = tuple(
            _decode([kind], topic, name)[0] for kind, topic in zip(indexed, topics[1:], strict=True)
        )
        values += _decode(plain, _bytes(_field(row, "data", what), name), name)
        return Event(name, values, _hash(_field(row, "transactionHash", what), what), block, log)

    def sent(self, event: Event) -> tuple[str, bytes]:
        """Of the transaction of an event: to whom it was sent, '' if it made a contract, and its data."""
        what = f"transaction {event.tx}"
        row = self.source.ask("eth_getTransactionByHash", [event.tx])
        if row is None:
            raise MissingData(f"the chain has no {what}")
        place = _hash(_field(row, "hash", what), what), _number(_field(row, "blockNumber", what), what)
        if place != (event.tx, event.block):
            raise Undecodable(what, "it is another, or stands in another block than its event")
        to = _field(row, "to", what)
        return "" if to is None else str(to).lower(), _bytes(_field(row, "input", what), what)

    def calldata(self, event: Event) -> list[tuple[Any, ...]] | None:
        """The batches that the transaction of an event posts, None where they can't be compared with it.

        That is if it was sent elsewhere, or stands in another than the canonical form: the contract takes
        bytes too many and arrays at other offsets, so that anybody can copy a post and put it so. Nothing is
        lost by it: the words that are proved are those of the event.
        """
        to, data = self.sent(event)
        if to != self.ledger:
            return None
        if data[:4] != keccak(f"post({_POST})".encode())[:4]:
            return []
        try:
            return list(_decode([_POST], data[4:], "calldata of post")[0])
        except Undecodable:
            return None

    def view(
        self,
        function: str,
        results: Sequence[str],
        to: str | None = None,
        kinds: Sequence[str] = (),
        arguments: Sequence[Any] = (),
    ) -> Any:
        """The result of a view, of the ledger unless `to` names another contract; a tuple of several."""
        data = keccak(f"{function}({','.join(kinds)})".encode())[:4] + encode(kinds, arguments)
        call = {"to": to or self.ledger, "data": "0x" + data.hex()}
        answer = self.source.ask("eth_call", [call, hex(self.block)])
        if answer in ("0x", None):
            raise NoAnswer(
                f"the contract at {to or self.ledger} does not answer {function}", code="no_ledger"
            )
        values = _decode(results, _bytes(answer, function), function)
        return values[0] if len(results) == 1 else values


def entry_of(event: Event) -> QueueEntry:
    """The queue entry of a `Requested` event."""
    index, depositor, kind, asset, amount, target, owner = event.values
    return QueueEntry(index, int(depositor, 16), kind, asset, amount, target, int.from_bytes(owner, "big"))
