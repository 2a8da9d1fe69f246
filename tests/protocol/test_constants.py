# SPDX-License-Identifier: GPL-3.0-or-later
"""The data file is consistent, and Python's enumerations are what it says."""

from __future__ import annotations

import hashlib
import tomllib

import pytest

import zkmargin.protocol
from zkmargin.errors import BadInput
from zkmargin.protocol import constants
from zkmargin.protocol.constants import BITS, PACKING, PROTOCOL_HASH, TAGS, EntryKind, Op, P, load, tag
from zkmargin.protocol.home import home

DATA = home() / "prover/zkmargin/protocol/protocol.toml"
RAW = tomllib.loads(DATA.read_text())


def test_the_hash_is_that_of_the_file() -> None:
    assert hashlib.sha256(DATA.read_bytes()).hexdigest() == PROTOCOL_HASH == load().hash


def test_the_enumerations_are_those_of_the_file() -> None:
    assert {op.name.lower(): op.value for op in Op} == RAW["opcodes"]
    assert {kind.name.lower(): kind.value for kind in EntryKind} == RAW["entry_kinds"]
    assert sorted(RAW["opcodes"].values()) == list(range(len(Op)))


def test_tags_differ_and_leave_room_for_a_count() -> None:
    assert len(set(TAGS.values())) == len(TAGS)
    assert tag("mu") == int.from_bytes(b"zkm.mu", "big")
    assert all(0 < tag(name) << 32 < P >> 64 for name in TAGS)


@pytest.mark.parametrize("name", PACKING)
def test_packings_fit_what_carries_them(name: str) -> None:
    words = {word for layout in load().words.values() for word in layout.fixed + layout.repeated}
    posted = name in words
    assert sum(PACKING[name].values()) <= (BITS["word"] if posted else 253)


def test_packed_fields_hold_their_quantities() -> None:
    widths = {
        ("meta", "account_id"): "account_id", ("meta", "nonce"): "nonce", ("meta", "address"): "address",
        ("touch", "leaf_index"): "leaf_index", ("touch", "instrument"): "class_id",
        ("touch", "size"): "amount", ("touch", "price"): "price", ("terms", "price"): "price",
        ("l1", "amount"): "amount", ("report_pair", "rate_a"): "report_rate",
        ("report_pair", "rate_b"): "report_rate", ("report_pair", "price_b"): "price",
        ("block", "radius"): "radius", ("sweep_head", "radius"): "radius",
        ("regroup_head", "radius"): "radius",
        ("tick_head", "slot"): "slot", ("tick_head", "time"): "time", ("tick_instrument", "mark"): "price",
    }  # fmt: skip
    for (packing, field), quantity in widths.items():
        assert PACKING[packing][field] == BITS[quantity], (packing, field)
    assert constants.FUNDING_OFFSET == 1 << 71 >= 1 << BITS["funding"]
    assert constants.RATE_OFFSET == 1 << 39 > constants.RATE_ONE
    assert BITS["class_id"] * constants.HOLDINGS <= 253


@pytest.mark.parametrize("name", load().profiles)
def test_profiles_fit_the_bits(name: str) -> None:
    profile = load().profile(name)
    assert profile.classes <= constants.CLASS_LIMIT
    assert profile.instruments % 2 == 0, "reports sign instruments in pairs"
    assert profile.instruments < profile.capacity <= 1 << BITS["leaf_index"]
    assert profile.block_levels + profile.top_levels == profile.ledger_levels
    assert profile.block_levels > 0, "a block is of more pages than one"
    assert profile.top_levels > 0, "a ledger is of more blocks than one"
    assert profile.blocks * profile.block_pages == profile.pages <= 1 << PACKING["block"]["index"]
    assert profile.oracles <= PACKING["tick_head"]["present"]
    assert 2 * ((profile.oracles - 1) // 3) + 1 <= profile.quorum <= profile.oracles


def test_capacities() -> None:
    assert load().profile("small").capacity == 4_096
    assert (load().profile("small").blocks, load().profile("main").blocks) == (8, 512)
    assert load().profile("main").capacity == 2_097_152


def test_an_unknown_profile_names_the_known() -> None:
    with pytest.raises(BadInput, match=r"'large'.*main, small"):
        load().profile("large")


def test_the_contract_writes_the_first_words_of_each_circuit() -> None:
    for layout in load().words.values():
        assert layout.contract_written == layout.fixed[: len(layout.contract_written)]
        assert len(set(layout.fixed + layout.repeated)) == len(layout.fixed) + len(layout.repeated)


def test_modules_of_the_protocol_import_nothing_of_the_service() -> None:
    folder = home() / "prover/zkmargin/protocol"
    assert folder == type(folder)(next(iter(zkmargin.protocol.__path__)))
    for path in folder.glob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("zkmargin"):
                assert words[1].startswith(("zkmargin.protocol", "zkmargin.errors")) or words[3:] == [
                    "_kernel",
                    "as",
                    "kernel",
                ], line
