# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules every account leaf keeps, whatever operation wrote it (SPEC sections 1 to 3)."""

from __future__ import annotations

from zkmargin.errors import BadInput
from zkmargin.protocol.constants import BITS, HOLDINGS, SIDES, TIERS, P, Profile
from zkmargin.protocol.model import Account, Holding

_BALANCE = 1 << BITS["balance"]
_MAGNITUDE = 1 << BITS["magnitude"]
_FIELDS = {
    "id": 1 << BITS["account_id"],
    "nonce": 1 << BITS["nonce"],
    "address": 1 << BITS["address"],
    "owner": P,
}


def _bad(account: Account, what: str) -> BadInput:
    return BadInput(
        f"account {account.id}: {what}",
        hint="no operation of the protocol makes such an account",
        code="bad_account",
    )


def _check_holding(account: Account, held: Holding, profile: Profile) -> None:
    if not 0 < held.instrument < profile.instruments:
        raise _bad(account, f"instrument {held.instrument} is not 1 to {profile.instruments - 1}")
    if not 0 <= held.tier < TIERS or not 0 <= held.side < SIDES:
        raise _bad(
            account, f"tier {held.tier}, side {held.side} of instrument {held.instrument} make no class"
        )
    if not 0 < held.size < _MAGNITUDE:
        raise _bad(account, f"{held.size} steps of instrument {held.instrument} are out of range")


def check_account(account: Account, profile: Profile) -> None:
    """Raise `BadInput` naming the first rule an account breaks.

    Every field within its bits, 12 slots, no instrument in two of them, no empty holding in one; id 0 is the
    empty leaf and nothing else. That collateral is long only and tiers fit the bounds depends on a tick and
    is not checked here.
    """
    for name, limit in _FIELDS.items():
        value = getattr(account, name)
        if not 0 <= value < limit:
            raise _bad(account, f"{name} {value} is out of range")
    if abs(account.balance) >= _BALANCE:
        raise _bad(account, f"balance {account.balance} is out of range")
    if len(account.slots) != HOLDINGS:
        raise _bad(account, f"{len(account.slots)} slots instead of {HOLDINGS}")
    held = [holding for holding in account.slots if holding]
    for holding in held:
        _check_holding(account, holding, profile)
    if len({holding.instrument for holding in held}) < len(held):
        raise _bad(account, "one instrument stands in two slots")
    if account.id == 0 and not account.is_empty:
        raise _bad(account, "id 0 is kept for empty leaves")
