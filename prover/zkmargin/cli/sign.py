# SPDX-License-Identifier: GPL-3.0-or-later
"""`zkmargin sign FILE`: an operation signed by the people of a demo, whose keys are nobody's secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from zkmargin.cli.account import DEFAULT_HOME
from zkmargin.cli.files import read_json
from zkmargin.cli.submit import LARGEST
from zkmargin.errors import BadInput
from zkmargin.protocol.eddsa import KeyPair, keypair
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.words import domain_word
from zkmargin.sequencer.home import open_home, read_setup
from zkmargin.sequencer.requests import read_request, request_json, sign_touch

_LARGEST_PEOPLE = 16 << 20
_SLOTS = 3


def people_keys(path: Path) -> dict[int, KeyPair]:
    """Signing keys by account, of the file `people.json` that a demo writes; `BadInput` for another file."""
    raw = read_json(path, "file of people", _LARGEST_PEOPLE)
    try:
        return {int(number): keypair(str(row["seed"]).encode()) for number, row in raw.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is malformed: {error!r}", hint="it is what a demo wrote") from error


def sign_file(path: Path, home: Path, people: Path, slots: int) -> dict[str, Any]:
    """The operation in `path` signed for this ledger, at its accounts' present nonces, for so many slots."""
    kind, touches = read_request(read_json(path, "operation file", LARGEST), signed=False)
    keys, setup = people_keys(people), read_setup(home)
    ledger, tick, _ = open_home(home)
    domain, signed = domain_word(setup.chain_id, setup.ledger), []
    for touch in touches:
        account, key = ledger.account(touch.account_id), keys.get(touch.account_id)
        if key is None or owner_hash(key.ax, key.ay) != account.owner:
            raise BadInput(
                f"{people} has no key of account {touch.account_id}", hint="name its owner's file by --people"
            )
        signed.append(sign_touch(touch, account, key, tick.slot + slots, domain))
    return request_json(kind, signed)


def sign_command(
    operation: Annotated[Path, typer.Argument(help="File with a withdraw, trade or bid, without auth.")],
    home: Annotated[Path, typer.Option(help="The sequencer's folder.")] = DEFAULT_HOME,
    people: Annotated[
        Path | None, typer.Option(help="The demo's people.json; beside the sequencer's folder if not given.")
    ] = None,
    slots: Annotated[int, typer.Option(help="How many more slots it is good for.", min=0)] = _SLOTS,
    as_json: Annotated[
        bool, typer.Option("--json", help="Errors as JSON; what is signed always is.")
    ] = False,
) -> None:
    """Sign an operation with the keys of a demo's people, and print it for `zkmargin submit`.

    The file is as of `submit`, without `auth`; a demo leaves one of each kind in operations/.
    """
    print(json.dumps(sign_file(operation, home, people or home.parent / "people.json", slots), indent=1))
