# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ledger began with: its first events, and the state that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.auditor.chain import Chain, Event, Undecodable
from zkmargin.auditor.findings import WHOLE, Findings
from zkmargin.auditor.rules import Books
from zkmargin.auditor.tree import Roots
from zkmargin.auditor.untrusted import parse
from zkmargin.errors import BadInput, MissingData
from zkmargin.protocol.constants import Profile, load
from zkmargin.protocol.hashes import params_hash, tick_hash
from zkmargin.protocol.model import InstrumentTick, Params, Tick
from zkmargin.protocol.posted import read_tick
from zkmargin.protocol.words import domain_word


@dataclass(frozen=True)
class Opening:
    """A ledger before its first batch, as its events have it.

    `genesis`: the event. `root`, `tick_hash`, `params_hash`: what it says. `params`, `text`: the parameters,
    and as they were posted. `assets`: token and unit by number. `tick`: the tick before the first.
    """

    genesis: Event
    root: int
    tick_hash: int
    params_hash: int
    text: bytes
    params: Params
    profile: Profile
    assets: dict[int, tuple[str, int]]
    domain: int
    tick: Tick


def read_opening(chain: Chain, events: Sequence[Event]) -> Opening:
    """The opening of a ledger; MissingData if it has none, Undecodable for one that is malformed."""
    genesis = [event for event in events if event.name == "Genesis"]
    if not genesis:
        raise MissingData(
            f"{chain.ledger} has no Genesis event since block {chain.from_block}",
            hint="is it a ledger?",
            code="no_ledger",
        )
    if len(genesis) > 1:
        raise Undecodable("Genesis", "there is more than one")
    root, tick, digest, text = genesis[0].values
    try:
        params = Params.from_json(parse(text.decode()))
    except (ValueError, BadInput) as error:
        raise Undecodable("Genesis", f"parameters: {error}") from error
    profile = _profile(params, chain.view("touches", ["uint16"]))
    try:
        domain = domain_word(chain.chain_id, chain.ledger)
    except BadInput as error:
        raise Undecodable("the chain id", str(error)) from error
    registered = [event.values for event in events if event.name == "AssetRegistered"]
    assets = {asset: (token, unit) for asset, token, unit in registered}
    if not all(asset < profile.instruments for asset in assets):
        raise Undecodable("AssetRegistered", "an asset that is no instrument")
    slot = _first_slot(chain, events)
    risk = params.tau, params.penalty_rate, params.bidder_share
    rows = (InstrumentTick(),) * profile.instruments
    first = Tick(slot, slot * params.slot_seconds, *risk, rows)
    return Opening(genesis[0], root, tick, digest, text, params, profile, assets, domain, first)


def _profile(params: Params, touches: int) -> Profile:
    sizes = (len(params.instruments), touches)
    for profile in load().profiles.values():
        if (profile.instruments, profile.touches) == sizes:
            return profile
    raise Undecodable("Genesis", f"no profile has {sizes[0]} instruments and {sizes[1]} touches a batch")


def _first_slot(chain: Chain, events: Sequence[Event]) -> int:
    ticked = next((event for event in events if event.name == "Ticked"), None)
    if ticked is None:
        return int(chain.view("slot", ["uint32"]))
    try:
        return read_tick(ticked.values[5]).previous_slot
    except BadInput as error:
        raise Undecodable("the first tick", error.message) from error


def check_opening(found: Findings, opening: Opening, events: Sequence[Event]) -> None:
    """binding, order, root: the events before the first batch, and the state they claim."""
    found.require(
        "binding",
        WHOLE,
        params_hash(opening.params) == opening.params_hash,
        "the posted parameters do not hash to what the contract uses",
    )
    first = events[: 1 + sum(event.name == "AssetRegistered" for event in events)]
    assets = [event.values[0] for event in first[1:]]
    found.require(
        "order",
        WHOLE,
        first[0].name == "Genesis"
        and all(event.name == "AssetRegistered" for event in first[1:])
        and {event.tx for event in first} == {opening.genesis.tx}
        and 0 in assets
        and assets == sorted(set(assets)),
        "the ledger does not begin with Genesis and its assets",
    )
    found.require(
        "root",
        WHOLE,
        Roots(opening.profile).root(Books.genesis(opening.profile)) == opening.root,
        "the genesis root is not that of the genesis ledger",
    )
    found.require(
        "root", WHOLE, tick_hash(opening.tick) == opening.tick_hash, "the genesis tick is not empty"
    )
