# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations of every kind on a ledger that lives: people come, trade, fail, are closed out.

    world = RandomWorld(profile, seed)
    case = world.valid()          # an operation the rules allow now, not yet applied
    world.run(case.touches)       # or a `Draft` on world.ledger
    world.advance()               # the next tick, between batches

`support.broken_ops` makes operations that break one rule each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support.world import LONG, World, address
from zkmargin.engine.due import Bid, Settling, unhealthy
from zkmargin.engine.margin import is_limited, kind_of, risk
from zkmargin.errors import Refused
from zkmargin.protocol.constants import COLLATERAL, FINE, EntryKind, Op, Profile
from zkmargin.protocol.model import Account, Auth, Tick, Touch

_CROWD = 48


@dataclass(frozen=True)
class Case:
    """An operation; `code` is "" when the rules allow it, else the code of its refusal."""

    kind: str
    touches: tuple[Touch, ...]
    code: str = ""


class _Found(Exception):
    """Ends a search at its first success."""


class RandomWorld(World):
    """Draws operations that the rules allow at the present tick."""

    def __init__(self, profile: Profile, seed: int = 0) -> None:
        super().__init__(profile, seed)
        self._makers: list[tuple[int, Callable[[], Sequence[Touch] | None]]] = [
            (10, self._open),
            (6, self._credit),
            (2, self._fund),
            (3, self._invalid_entry),
            (8, self._withdraw),
            (40, self._trade),
            (8, self._reduce),
            (1, self._noop),
            (4, self._repay),
        ]

    def advance(self) -> Tick:
        """The next tick, now and then a violent one."""
        return self.market.advance()

    def valid(self) -> Case:
        """An operation that is allowed now."""
        due = unhealthy(self.ledger, self.tick)
        if due and self.rng.random() < 0.7:
            return self._case(self._due(self.rng.choice(due)))
        weights, makers = zip(*self._makers, strict=True)
        if len(self.traders()) < 6:
            makers, weights = (self._open,), (1,)
        while True:
            touches = self.rng.choices(makers, weights)[0]()
            if touches and not self.code(touches):
                return self._case(touches)

    @staticmethod
    def _case(touches: Sequence[Touch], code: str = "") -> Case:
        return Case("+".join(Op(touch.op).name.lower() for touch in touches), tuple(touches), code)

    # ----------------------------------------------------------------- amounts

    def _quote(self) -> int:
        """Quote base units from a dollar to tens of millions; one in fifty as large as a deposit can be."""
        if self.rng.random() < 0.02:
            return (1 << 64) - 1
        return self.rng.randrange(1 << 20, 1 << self.rng.randrange(24, 46))

    def _steps(self, instrument: int) -> int:
        """Steps of a collateral worth about `_quote`; one in fifty as many as a slot can hold."""
        if self.rng.random() < 0.02:
            return (1 << 48) - 1 - self.rng.randrange(3)
        return min(max(self._quote() * FINE // self.mark(instrument), 1), (1 << 47))

    def _instrument(self) -> int:
        """A perpetual, most often one of the first three; one time in eight a collateral."""
        if self.rng.random() < 1 / 8:
            return self.rng.choice(self.collaterals)
        return self.rng.choice(self.perpetuals[:3] if self.rng.random() < 0.7 else self.perpetuals)

    # ---------------------------------------------------------------- requests

    def _open(self) -> Sequence[Touch] | None:
        if len(self.traders()) >= _CROWD:
            return None
        if self.rng.random() < 0.25:
            asset = self.rng.choice(self.collaterals)
            return [self.open(self._steps(asset), asset)]
        return [self.open(self._quote())]

    def _credit(self) -> Sequence[Touch] | None:
        account = self.rng.choice(self.accounts())
        if account.id < self.profile.instruments:
            return [self.credit(account.id, self.rng.randrange(1, 1 << 38) >> self.rng.randrange(12))]
        if self.rng.random() < 0.4:
            asset = self.rng.choice(self.collaterals)
            return [self.credit(account.id, self._steps(asset), asset)]
        return [self.credit(account.id, self._quote())]

    def _fund(self) -> Sequence[Touch]:
        """Never much, so that debts now and then exceed it; a deficit is made up half of the time."""
        owed = max(-self.ledger.reserve, 0) // FINE + 1
        return [self.fund(owed if owed > 1 and self.rng.random() < 0.5 else self.rng.randrange(1, 1 << 30))]

    def _invalid_entry(self) -> Sequence[Touch]:
        """A queue entry that is provably refused."""
        rng, trader = self.rng, self.rng.choice(self.traders())
        asset, amount = rng.choice(self.collaterals), self.rng.randrange(1, 1 << 40)
        kind = EntryKind.ACCOUNT
        mine = {"target": trader.id, "depositor": trader.address}
        entry = rng.choice(
            [
                self.entry(EntryKind.FUND, asset, amount),
                self.entry(EntryKind.OPEN, 0, amount, owner=0, depositor=address(7)),
                self.entry(
                    EntryKind.OPEN, rng.choice(self.perpetuals), amount, owner=5, depositor=address(7)
                ),
                self.entry(kind, 0, amount, target=self.ledger.next_id + rng.randrange(3)),
                self.entry(kind, asset, amount, target=0),
                self.entry(kind, asset, amount, target=asset),
                self.entry(kind, asset, amount, target=trader.id, depositor=trader.address ^ 1),
                self.entry(kind, rng.choice(self.perpetuals), amount, **mine),
            ]
            + [
                self.entry(kind, held.instrument, (1 << 48) - held.size, **mine)
                for held in trader.slots
                if held and kind_of(self.row(held.instrument)) == COLLATERAL
            ]
        )
        return [self.deposit(entry, ok=False)]

    def _withdraw(self) -> Sequence[Touch] | None:
        account = self.rng.choice(self.traders())
        free = self.free_initial(account)
        if self.ledger.reserve < 0 or free < FINE:
            return None
        owned = [h for h in account.slots if h and kind_of(self.row(h.instrument)) == COLLATERAL]
        if owned and self.rng.random() < 0.5:
            held = self.rng.choice(owned)
            worth = max(self.row(held.instrument).worst_long, 1)
            most = min(held.size, free // worth)
            return [self.withdraw(account.id, self._part(most), held.instrument)] if most else None
        return [self.withdraw(account.id, min(self._part(free // FINE), (1 << 64) - 1))]

    def _part(self, most: int) -> int:
        """1 to `most`, most itself now and then."""
        return most if self.rng.random() < 0.15 else self.rng.randrange(1, most + 1)

    def _noop(self) -> Sequence[Touch]:
        leaf = self.rng.randrange(self.ledger.capacity)
        return [Touch(Op.NOOP, leaf, self.ledger.account_at(leaf).id)]

    def _repay(self) -> Sequence[Touch] | None:
        """A backstop without maintenance margin makes up a deficit."""
        found = [self.account(k) for k in range(1, self.profile.instruments)]
        able = [a.id for a in found if risk(a, self.tick).worst > 0 == risk(a, self.tick).maintenance]
        if self.ledger.reserve >= 0 or not able:
            return None
        return [self.touch(Op.ABSORB, self.rng.choice(able))]

    # ------------------------------------------------------------------ trades

    def _trade(self) -> Sequence[Touch] | None:
        """A trade near the mark that both sides can carry; where the mark is limited, positions only fall."""
        instrument = self._instrument()
        buyer, seller = self.rng.sample(self.traders(), 2)
        if kind_of(self.row(instrument)) == COLLATERAL:
            held = seller.holding(instrument)
            if held is None:
                return None
            most = held.size
        else:
            unit = max(self.row(instrument).initial[0], 1)
            most = min(max(self.free_initial(side), 0) for side in (buyer, seller)) // unit
        if is_limited(self.row(instrument)):
            return self._reduce()
        mark = self.mark(instrument)
        price = self.rng.choice([mark, mark, int(mark * self.rng.uniform(0.98, 1.02))])
        if self.rng.random() < 0.01:
            most, price = 1, self.rng.choice([0, 1, min(2 * mark, (1 << 64) - 1)])
        most = min(most, (1 << 47) - 1)
        for _ in range(8):
            if most < 1:
                return None
            size = self._part(most)
            if self._carries(buyer, instrument, size, price) and self._carries(
                seller, instrument, -size, price
            ):
                return self.trade(buyer.id, seller.id, instrument, size, price)
            most //= 2
        return None

    def _carries(self, account: Account, instrument: int, delta: int, price: int) -> bool:
        after = self.moved(account, instrument, delta, price)
        if after is None:
            return False
        held = after.holding(instrument)
        return (held is None or held.size < 1 << 48) and self.free_initial(after) >= 0

    def _reduce(self) -> Sequence[Touch] | None:
        """Two opposite holders close against each other; they may be below initial margin.

        At the mark, at the raw price or half way, which a limited mark keeps apart.
        """
        instrument = self._instrument()
        holders = [a for a in self.traders() if a.holding(instrument)]
        longs = [a for a in holders if a.holding(instrument).side == LONG]  # type: ignore[union-attr]
        shorts = [a for a in holders if a not in longs]
        if not longs or not shorts:
            return None
        seller, buyer = self.rng.choice(longs), self.rng.choice(shorts)
        most = min(seller.holding(instrument).size, buyer.holding(instrument).size)  # type: ignore[union-attr]
        mark, raw = self.mark(instrument), self.row(instrument).raw
        price = self.rng.choice([mark, raw, (mark + raw) // 2])
        return self.trade(buyer.id, seller.id, instrument, self._part(most), price)

    # --------------------------------------------------------------------- due

    def bids(self, victim: Account) -> list[Bid]:
        """None to two bids on what the victim must close first; sizes and least rewards vary."""
        held = min((h for h in victim.slots if h), key=lambda h: h.instrument, default=None)
        if held is None:
            return []
        found = []
        for account in self.rng.sample(self.traders(), min(self.rng.randrange(3), len(self.traders()))):
            if account.id == victim.id:
                continue
            most = self._part(held.size) if self.rng.random() < 0.7 else 2 * held.size
            least = self.rng.choice([0, 0, self.rng.randrange(1 << 24)])
            any_price = 0 if held.side else (1 << 64) - 1
            limit = self.rng.choice([any_price, self.mark(held.instrument)])
            leg = self.sign(
                self.touch(
                    Op.TAKE_BID,
                    account.id,
                    instrument=held.instrument,
                    side=held.side,
                    max_size=most,
                    min_reward=least,
                    limit_price=limit,
                )
            )
            assert isinstance(leg.auth, Auth)
            terms = held.instrument, held.side, most, least, limit, leg.auth
            found.append(Bid(account.id, account.nonce, *terms))
        return found

    def _due(self, identity: int) -> Sequence[Touch]:
        """The first operation of the search for what is due to an account."""
        found: list[Touch] = []

        def attempt(operation: Sequence[Touch]) -> bool:
            savepoint = self.ledger.savepoint()
            try:
                self.run(operation)
            except Refused:
                return False
            self.ledger.rollback(savepoint)
            found.extend(operation)
            raise _Found

        try:
            Settling(self.ledger, self.tick, self.bids(self.account(identity)), attempt).settle_account(
                identity
            )
        except _Found:
            return found
        raise AssertionError(
            f"account {identity} at health {risk(self.account(identity), self.tick).health} is stuck"
        )
