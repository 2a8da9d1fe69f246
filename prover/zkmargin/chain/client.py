# SPDX-License-Identifier: GPL-3.0-or-later
"""Client of a ledger contract: its calls, its state, its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

from eth_abi.exceptions import EncodingError
from eth_typing import ABIEvent, BlockNumber
from eth_utils.abi import event_abi_to_log_topic
from web3 import Web3
from web3.exceptions import BadFunctionCallOutput, ContractLogicError, MismatchedABI, Web3ValidationError
from web3.types import FilterParams

from zkmargin.chain.artifacts import artifact
from zkmargin.chain.calldata import blank_settle_words, blank_words
from zkmargin.chain.node import chain_errors, connect
from zkmargin.chain.transactions import Call, Receipt, send
from zkmargin.errors import BadInput, MissingData
from zkmargin.protocol.constants import CIRCUIT_IDS, load
from zkmargin.protocol.model import QueueEntry
from zkmargin.proving.proof import Proof

ProofWords = Proof | Sequence[int]
BLOCKS_A_QUERY = 5_000


@dataclass(frozen=True)
class LedgerState:
    """The contract's state in one block. `batch` is the last accepted; `slot` that of the current tick."""

    block: int
    root: int
    tick: int
    batch: int
    requested: int
    consumed: int
    slot: int
    covered_tick: int
    covered_root: int
    covered_slot: int
    covered_batch: int


@dataclass(frozen=True)
class Latest:
    """The node's latest block: its time, seconds since 1970 (the chain's clock), and gas limit."""

    time: int
    gas_limit: int


@dataclass(frozen=True)
class LedgerEvent:
    """An event of the ledger with its place in the chain. `args` are named as in the contract's interface."""

    name: str
    args: dict[str, Any]
    block: int
    tx_hash: str
    log_index: int


@dataclass(frozen=True)
class Token:
    """An asset in custody: `unit` token base units make one posted unit."""

    asset: int
    address: str
    unit: int


@dataclass(frozen=True)
class Batch:
    """A step of the ledger and its proof.

    `words` may be those proved: the ones the contract writes are set to 0 on the way. `entries`: the deposits
    a settle consumes, in order.
    """

    circuit: str
    words: Sequence[int]
    commitment: int
    proof: ProofWords
    entries: Sequence[QueueEntry] = ()


class LedgerClient:
    """One ledger on one node. `*_call` methods make data to sign, the others act or read."""

    def __init__(self, web3: Web3, address: str) -> None:
        if not Web3.is_address(address):
            raise BadInput(
                f"'{address}' is not an address", hint="give the ledger's address, 0x and 40 digits"
            )
        self.web3 = web3
        self.address: str = Web3.to_checksum_address(address)
        self._contract = web3.eth.contract(
            address=Web3.to_checksum_address(address), abi=artifact("Ledger").abi
        )
        with chain_errors():
            if not web3.eth.get_code(self._contract.address):
                raise MissingData(
                    f"there is no contract at {self.address}",
                    hint="check the ledger's address and that the node is on the ledger's chain",
                    code="no_ledger",
                )
        if bytes(self._view("protocolHash")).hex() != load().hash:
            raise BadInput(
                f"the ledger at {self.address} follows another version of the protocol than this package",
                hint="use the version it was deployed with, or, after a change of the protocol, `make build`",
                code="other_protocol",
            )

    @classmethod
    def at(cls, rpc: str, address: str) -> LedgerClient:
        """Connect to the node `rpc`; ChainUnreachable when it does not answer."""
        return cls(connect(rpc), address)

    @property
    def chain_id(self) -> int:
        """The chain the node is on."""
        with chain_errors():
            return int(self.web3.eth.chain_id)

    # --- calls to sign

    def _call(self, function: str, *arguments: Any) -> Call:
        try:
            data = self._contract.encode_abi(function, args=list(arguments))
        except (MismatchedABI, EncodingError, Web3ValidationError) as error:
            raise BadInput(f"the arguments of {function} are malformed or out of range: {error}") from error
        return Call(self.address, bytes.fromhex(data.removeprefix("0x")))

    def post_call(self, batches: Sequence[Batch]) -> Call:
        """Post batches one after the other, all or none."""
        return self._call("post", [_batch_row(batch) for batch in batches])

    def deposit_call(self, kind: int, asset: int, amount: int, target: int = 0, owner: int = 0) -> Call:
        """Request a deposit of `amount` posted units; the token must be approved."""
        return self._call("deposit", kind, asset, amount, target, owner.to_bytes(32, "big"))

    def withdraw_call(self, asset: int) -> Call:
        """Have the caller's claim paid."""
        return self._call("withdraw", asset)

    # --- calls signed, sent and waited for

    def post(self, key: str, *batches: Batch) -> Receipt:
        """Post batches in one transaction and wait for its receipt."""
        return send(self.web3, self.post_call(batches), key)

    def deposit(
        self, key: str, kind: int, asset: int, amount: int, target: int = 0, owner: int = 0
    ) -> tuple[QueueEntry, Receipt]:
        """Request a deposit and wait for it; returns its entry in the queue."""
        done = send(self.web3, self.deposit_call(kind, asset, amount, target, owner), key)
        requested = next(event for event in self.decode_logs(done.logs) if event.name == "Requested")
        return queue_entry(requested), done

    def withdraw(self, key: str, asset: int) -> Receipt:
        """Have the claim of the key's account paid."""
        return send(self.web3, self.withdraw_call(asset), key)

    # --- state

    def _view(self, function: str, *arguments: Any, block: int | None = None) -> Any:
        with chain_errors():
            try:
                call = self._contract.functions[function](*arguments)
                return call.call(block_identifier="latest" if block is None else block)
            except (BadFunctionCallOutput, ContractLogicError) as error:
                if isinstance(error, ContractLogicError) and error.data not in (None, "0x"):
                    raise
                raise MissingData(
                    f"the contract at {self.address} is no ledger: it does not know '{function}'",
                    hint="check the ledger's address",
                    code="no_ledger",
                ) from error

    def state(self, block: int | None = None) -> LedgerState:
        """Root, tick and counters in one block, the latest if not given."""
        if block is None:
            with chain_errors():
                block = self.web3.eth.block_number
        names = ("root", "tickHash", "batch", "requested", "consumed", "slot")
        covered = ("coveredTick", "coveredRoot", "coveredSlot", "coveredBatch")
        return LedgerState(block, *(int(self._view(name, block=block)) for name in (*names, *covered)))

    def latest(self) -> Latest:
        """Time and gas limit of the latest block."""
        with chain_errors():
            block = self.web3.eth.get_block("latest")
        return Latest(block["timestamp"], block["gasLimit"])

    def is_covered(self, max_age: int) -> bool:
        """Whether the current tick is covered and at most `max_age` seconds old."""
        return bool(self._view("isCovered", max_age))

    def covered_slot(self) -> int:
        """Slot of the last tick that was covered; the genesis tick counts as covered."""
        return int(self._view("coveredSlot"))

    def last_batch(self) -> int:
        """Number of the last batch the contract accepted, 0 before the first."""
        return int(self._view("batch"))

    def claim(self, account: str, asset: int) -> int:
        """What `account` can withdraw, in posted units."""
        return int(self._view("claim", Web3.to_checksum_address(account), asset))

    def pending(self, account: str, asset: int) -> int:
        """What `account` can withdraw once the ledger is covered."""
        return int(self._view("pending", Web3.to_checksum_address(account), asset))

    def queue_hash(self, index: int) -> bytes:
        """What the contract stores of queued deposit `index`; zeros for none."""
        return bytes(self._view("queue", index))

    def token(self, asset: int) -> Token:
        """Token and unit of an asset in custody; MissingData for any other."""
        address, unit = self._view("assetOf", asset)
        if not unit:
            raise MissingData(
                f"the ledger has no asset {asset} in custody", hint="see its AssetRegistered events"
            )
        return Token(asset, str(address), int(unit))

    def parameter(self, name: str) -> Any:
        """An immutable: paramsHash, slotSeconds, maxTickAge, instruments, touches, sweepPages, pages."""
        return self._view(name)

    def verifier(self) -> str:
        """Address of the verifier."""
        return str(self._view("verifier"))

    # --- events

    def decode_logs(self, logs: Sequence[Any]) -> list[LedgerEvent]:
        """The ledger's own events among `logs`, in order."""
        found = []
        for log in logs:
            name = _event_names().get(bytes(log["topics"][0])) if log["topics"] else None
            if name is not None and log["address"] == self.address:
                data = self._contract.events[name]().process_log(log)
                digest = "0x" + bytes(data["transactionHash"]).hex()
                found.append(
                    LedgerEvent(name, dict(data["args"]), data["blockNumber"], digest, data["logIndex"])
                )
        return found

    def events(
        self, from_block: int, to_block: int | None = None, names: Sequence[str] = ()
    ) -> Iterator[LedgerEvent]:
        """Events in chain order, of the blocks given (both included), all names if none is given."""
        if to_block is None:
            with chain_errors():
                to_block = self.web3.eth.block_number
        for start in range(from_block, to_block + 1, BLOCKS_A_QUERY):
            end = min(start + BLOCKS_A_QUERY - 1, to_block)
            query = FilterParams(
                address=self._contract.address, fromBlock=BlockNumber(start), toBlock=BlockNumber(end)
            )
            with chain_errors():
                logs = self.web3.eth.get_logs(query)
            yield from (event for event in self.decode_logs(logs) if not names or event.name in names)

    def queued(self, from_block: int) -> list[QueueEntry]:
        """All deposits requested since `from_block`, in the queue's order; see `QueueFeed` to follow them."""
        return [queue_entry(event) for event in self.events(from_block, names=("Requested",))]


class QueueFeed:
    """The contract's queue as it grows: each refresh reads only blocks that are new, and a few before them.

    Those few are read again because a chain may replace its latest blocks; an entry met again replaces the
    one known by its index.
    """

    REREAD = 16  # blocks

    def __init__(self, client: LedgerClient, from_block: int) -> None:
        self._client, self._first, self._next = client, from_block, from_block
        self._entries: dict[int, tuple[int, QueueEntry]] = {}  # by index: block, entry

    def refresh(self) -> None:
        """Read what is new."""
        with chain_errors():
            head = self._client.web3.eth.block_number
        start = max(self._first, self._next - self.REREAD)
        found = list(self._client.events(start, head, ("Requested",)))
        self._entries = {index: row for index, row in self._entries.items() if row[0] < start}
        self._entries |= {event.args["index"]: (event.block, queue_entry(event)) for event in found}
        self._next = head + 1

    def entry(self, index: int) -> QueueEntry | None:
        """The entry of that index, None while there is none."""
        row = self._entries.get(index)
        return None if row is None else row[1]

    def forget(self, below: int) -> None:
        """Drop the entries of an index less than `below`."""
        self._entries = {index: row for index, row in self._entries.items() if index >= below}

    @property
    def resume_block(self) -> int:
        """The block that a later feed must begin at to miss no entry not yet forgotten."""
        start = max(self._first, self._next - self.REREAD)
        return min([start, *(block for block, _ in self._entries.values())])


@cache
def _event_names() -> dict[bytes, str]:
    rows = (row for row in artifact("Ledger").abi if row["type"] == "event")
    return {event_abi_to_log_topic(cast(ABIEvent, row)): row["name"] for row in rows}


def _batch_row(batch: Batch) -> tuple[int, list[int], list[Any], int, list[int]]:
    blank = blank_settle_words if batch.circuit == "settle" else partial(blank_words, batch.circuit)
    entries = [_entry_row(entry) for entry in batch.entries]
    proof = proof_words(batch.proof)
    return CIRCUIT_IDS[batch.circuit], blank(batch.words), entries, batch.commitment, proof


def _entry_row(entry: QueueEntry) -> tuple[str, int, int, int, int, bytes]:
    depositor = Web3.to_checksum_address(entry.depositor.to_bytes(20, "big"))
    owner = entry.owner.to_bytes(32, "big")
    return depositor, entry.kind, entry.asset, entry.amount, entry.target, owner


def proof_words(proof: ProofWords) -> list[int]:
    """The contract's `uint256[8] proof`."""
    words = list(proof.calldata()) if isinstance(proof, Proof) else [int(word) for word in proof]
    if len(words) != 8:
        raise BadInput(f"a proof is eight words, given: {len(words)}")
    return words


def queue_entry(event: LedgerEvent) -> QueueEntry:
    """The entry a `Requested` event speaks of."""
    args = event.args
    return QueueEntry(
        index=args["index"],
        depositor=int(args["depositor"], 16),
        kind=args["kind"],
        asset=args["asset"],
        amount=args["amount"],
        target=args["target"],
        owner=int.from_bytes(args["owner"], "big"),
    )
