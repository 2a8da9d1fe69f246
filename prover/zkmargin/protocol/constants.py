# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol's one data file, `protocol.toml`, as typed constants."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any

from zkmargin.errors import BadInput


def _text() -> bytes:
    return resources.files(__package__).joinpath("protocol.toml").read_bytes()


_RAW: dict[str, Any] = tomllib.loads(_text().decode())

PROTOCOL_HASH = hashlib.sha256(_text()).hexdigest()
VERSION: int = _RAW["version"]
P: int = int(_RAW["field"]["modulus"])
SCALE: dict[str, int] = _RAW["scale"]
FINE: int = 1 << _RAW["scale"]["fine_bits"]
RATE_ONE: int = 1 << _RAW["scale"]["rate_bits"]
RADIUS_ONE: int = 1 << _RAW["scale"]["radius_bits"]
BITS: dict[str, int] = _RAW["bits"]
HOLDINGS: int = _RAW["account"]["holdings"]
TIERS: int = _RAW["class"]["tiers"]
SIDES: int = _RAW["class"]["sides"]
ARITY: int = _RAW["tree"]["arity"]
PAGE_LEVELS: int = _RAW["tree"]["page_levels"]
PAGE_SIZE: int = int(ARITY**PAGE_LEVELS)
MIN_PRICE: int = 1 << _RAW["bits"]["min_price"]
CLASS_LIMIT: int = 1 << _RAW["bits"]["class_id"]
TAGS: dict[str, str] = _RAW["tags"]
CIRCUIT_IDS: dict[str, int] = _RAW["circuits"]
PACKING: dict[str, dict[str, int]] = _RAW["packing"]
QUOTE_DECIMALS = 6  # a quote base unit, which the ledger counts in, is 1e-6 of the quote asset
LOCAL_CHAIN_IDS = (31337, 1337)  # of chains on one machine; development keys stay on them
ORIGINS_A_WORD = 16  # of a regroup
FUNDING_OFFSET: int = 1 << (PACKING["tick_instrument"]["funding"] - 1)  # posted = funding index + this
RATE_OFFSET: int = 1 << (PACKING["report_pair"]["rate_a"] - 1)  # signed = funding rate + this
CHALLENGE_DOMAIN: str = _RAW["domain"]["challenge"]
PERPETUAL: int = _RAW["instrument_flags"]["perpetual"]
COLLATERAL: int = _RAW["instrument_flags"]["collateral"]
LIMITED: int = _RAW["instrument_flags"]["limited"]

_OPCODES: dict[str, int] = _RAW["opcodes"]
_ENTRY_KINDS: dict[str, int] = _RAW["entry_kinds"]


class Op(IntEnum):
    """Opcode of a touch (SPEC section 4); the numbers stand in the data file."""

    NOOP = _OPCODES["noop"]
    DEPOSIT = _OPCODES["deposit"]
    WITHDRAW = _OPCODES["withdraw"]
    TRADE = _OPCODES["trade"]
    TRADE_MATCH = _OPCODES["trade_match"]
    LIQUIDATE = _OPCODES["liquidate"]
    TAKE_BID = _OPCODES["take_bid"]
    TAKE_BACKSTOP = _OPCODES["take_backstop"]
    REFUSE = _OPCODES["refuse"]
    DELEVERAGE = _OPCODES["deleverage"]
    OFFSET = _OPCODES["offset"]
    ABSORB = _OPCODES["absorb"]


class EntryKind(IntEnum):
    """What an entry of the contract's queue asks for."""

    FUND = _ENTRY_KINDS["fund"]
    OPEN = _ENTRY_KINDS["open"]
    ACCOUNT = _ENTRY_KINDS["account"]


@cache
def tag(name: str) -> int:
    """The first input of the hash `name`: the ASCII of its tag as a big-endian integer."""
    return int.from_bytes(TAGS[name].encode("ascii"), "big")


@dataclass(frozen=True)
class Profile:
    """The sizes one set of circuits is compiled for."""

    name: str
    instruments: int
    ledger_levels: int
    touches: int
    oracles: int
    quorum: int
    sweep_pages: int
    regroup_pages: int
    block_levels: int
    carry_blocks: int
    anchors: int

    @property
    def pages(self) -> int:
        """Number of pages of the ledger."""
        return int(ARITY**self.ledger_levels)

    @property
    def block_pages(self) -> int:
        """Number of pages of a block."""
        return int(ARITY**self.block_levels)

    @property
    def top_levels(self) -> int:
        """Levels of the tree above the blocks."""
        return self.ledger_levels - self.block_levels

    @property
    def blocks(self) -> int:
        """Number of blocks of the ledger."""
        return int(ARITY**self.top_levels)

    @property
    def capacity(self) -> int:
        """Number of account leaves."""
        return self.pages * PAGE_SIZE

    @property
    def classes(self) -> int:
        """Number of classes: instruments times tiers times sides."""
        return self.instruments * TIERS * SIDES


@dataclass(frozen=True)
class WordLayout:
    """Order of a circuit's posted words: `fixed` once, then `repeated` for each unit (touch, page, ...)."""

    fixed: tuple[str, ...]
    repeated: tuple[str, ...]
    contract_written: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """Everything of the data file that depends on the profile or the circuit."""

    profiles: dict[str, Profile]
    words: dict[str, WordLayout]
    hash: str

    def profile(self, name: str) -> Profile:
        """The profile of that name; `BadInput` lists the known ones."""
        try:
            return self.profiles[name]
        except KeyError:
            known = ", ".join(sorted(self.profiles))
            raise BadInput(f"there is no profile {name!r}", hint=f"use one of {known}") from None


@cache
def load() -> Protocol:
    """The data file, read once."""
    profiles = {name: Profile(name=name, **row) for name, row in _RAW["profiles"].items()}
    words = {
        circuit: WordLayout(
            fixed=tuple(row["fixed"]),
            repeated=tuple(next((names for key, names in row.items() if key.startswith("per_")), ())),
            contract_written=tuple(row["contract_written"]),
        )
        for circuit, row in _RAW["words"].items()
    }
    return Protocol(profiles, words, PROTOCOL_HASH)
