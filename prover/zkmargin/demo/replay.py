# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's story: people open accounts and trade, the crash comes, tick by tick."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from zkmargin.demo.episode import Episode, Listing
from zkmargin.demo.market import Market
from zkmargin.demo.population import SEED, TRADERS, Population, draw_population
from zkmargin.demo.venue import Holder, Venue, holder_of
from zkmargin.engine.margin import is_limited, risk
from zkmargin.engine.transition import Effect
from zkmargin.errors import Refused
from zkmargin.protocol.constants import FINE, EntryKind, Op
from zkmargin.protocol.hashes import owner_hash
from zkmargin.protocol.model import Params, Tick, Touch
from zkmargin.sequencer.loop import Bids, TickRun, run_tick
from zkmargin.sequencer.posting import Poster
from zkmargin.sequencer.requests import bid_touch, request_json, sign_touch, trade_legs, withdrawal
from zkmargin.sequencer.service import Coverage, Sequencer

UNKNOWN_ACCOUNT = 4_000_000
GAP_AT = 5  # this tick's slot is skipped: the oracles' quorum signs the gap
_BIDS_EACH = 6  # bids a maker signs ahead, one a nonce
_VALID_SLOTS = 3
_BUSINESS_EVERY = 3

Step = Callable[[str, int, int], None]
"""Hears of a step: what is done, how often by now, and how often it is to be done."""


class Replay:
    """Drives a sequencer through the episode and keeps the figures of each tick."""

    def __init__(
        self,
        episode: Episode,
        market: Market,
        params: Params,
        venue: Venue,
        sequencer: Sequencer,
        poster: Poster,
        traders: int = TRADERS,
        step: Step = lambda what, done, of: None,
    ) -> None:
        """`traders`: how many people trade; `step` hears how far a longer step is."""
        self.step = step
        self.episode, self.market, self.params = episode, market, params
        self.venue, self.sequencer, self.poster = venue, sequencer, poster
        self.rng = random.Random(SEED + 1)
        self.ticks: list[dict[str, Any]] = []
        self.refusals: list[dict[str, Any]] = []
        self.operations: Counter[str] = Counter()
        first = episode.genesis_slot + 1
        spot = market.prices(market.oracles[1], first)
        self.population: Population = draw_population(
            episode, {row.id: spot[row.series] for row in episode.listings}, traders
        )
        self.holders = [holder_of(person) for person in self.population.people]
        self.by_account: dict[int, Holder] = {}

    @property
    def listings(self) -> dict[int, Listing]:
        """The listed instruments by number."""
        return {row.id: row for row in self.episode.listings}

    # ---------------------------------------------------------------- the chapters

    def open_accounts(self) -> None:
        """First deposits of everybody, backstops and insurance fund, and one to an account nobody has."""
        for number, holder in enumerate(self.holders, 1):
            for asset, coins in holder.person.deposits:
                self.venue.deposit(holder, asset, self.venue.amount(asset, coins), EntryKind.OPEN)
            self.step("deposits requested", number, len(self.holders))
        patron = self.holders[-1]
        for instrument, quote in self.population.backstops.items():
            self.venue.deposit(
                patron, 0, self.venue.amount(0, Fraction(quote)), EntryKind.ACCOUNT, instrument
            )
        self.venue.deposit(patron, 0, self.venue.amount(0, Fraction(self.population.fund)), EntryKind.FUND)
        self.venue.deposit(patron, 0, 1_000_000, EntryKind.ACCOUNT, UNKNOWN_ACCOUNT)
        self.venue.settled()

    def first_trades(self) -> None:
        """The positions people hold when the crash comes."""
        for number, deal in enumerate(self.population.deals, 1):
            self.step("trades signed and decided", number, len(self.population.deals))
            self.trade(self.holders[deal.buyer], self.holders[deal.seller], deal.instrument, deal.size)

    def tick(self, number: int, decided: Callable[[dict[str, Any]], None]) -> None:
        """One tick of the replay; `decided` hears its figures before it is proved and posted."""
        slot = self.episode.genesis_slot + number + (number >= GAP_AT)
        before: dict[str, int] = {}

        def bids(tick: Tick) -> Bids:
            before.update(self.health(tick))
            return self.bids(tick) if number > 1 else ([], [])

        def people(run: TickRun) -> None:
            self.count(run.queue.effects)
            if number == 1:
                self.learn_ids()
                self.first_trades()
            else:
                self.daily_business(number, run.tick)

        def summed(run: TickRun) -> None:
            self.count(run.submitted.effects)
            for _, reason in run.submitted.refused:
                self.refusals.append({"slot": slot, "reason": reason})
            cover = run.coverage or Coverage()
            closed = [*run.due.effects, *cover.effects]
            self.count(closed)
            figures = self.figures(number, slot, run.tick, before, closed) | {"pages_swept": cover.swept}
            self.ticks.append(figures)
            decided(figures)

        reports = self.market.reports(self.params, self.sequencer.domain, slot, self.sequencer.tick.slot)
        run_tick(
            self.sequencer,
            self.poster,
            reports,
            slot,
            bids=bids,
            people=people,
            decided=summed,
            until_idle=False,
        )

    def learn_ids(self) -> None:
        """Find out which account each holder's first deposit opened."""
        owners = {
            account.owner: account.id for _, account in self.sequencer.ledger.accounts() if account.owner
        }
        for holder in self.holders:
            holder.account_id = owners[owner_hash(holder.key.ax, holder.key.ay)]
            self.by_account[holder.account_id] = holder

    # ---------------------------------------------------------------- what people do

    def trade(self, buyer: Holder, seller: Holder, instrument: int, size: int) -> None:
        """Both sign a trade at the mark and submit it."""
        tick, ledger = self.sequencer.tick, self.sequencer.ledger
        legs = trade_legs(
            buyer.account_id, seller.account_id, instrument, size, tick.instruments[instrument].mark
        )
        signed = [
            sign_touch(
                leg,
                ledger.account(holder.account_id),
                holder.key,
                tick.slot + _VALID_SLOTS,
                self.sequencer.domain,
            )
            for leg, holder in zip(legs, (buyer, seller), strict=True)
        ]
        self.submit("trade", signed)
        self.sequencer.decide_submitted()

    def submit(self, kind: str, touches: list[Touch]) -> None:
        """Hand a signed operation to the sequencer; a refusal is kept for the report."""
        try:
            self.sequencer.submit(request_json(kind, touches))
            self.operations[kind] += 1
        except Refused as error:
            self.refusals.append({"slot": self.sequencer.tick.slot, "reason": str(error)})

    def withdraw(self, holder: Holder, asset: int, amount: int) -> None:
        """Sign and submit a withdrawal."""
        tick = self.sequencer.tick
        touch = sign_touch(
            withdrawal(holder.account_id, asset, amount),
            self.sequencer.ledger.account(holder.account_id),
            holder.key,
            tick.slot + _VALID_SLOTS,
            self.sequencer.domain,
        )
        self.submit("withdraw", [touch])
        self.sequencer.decide_submitted()

    def daily_business(self, number: int, tick: Tick) -> None:
        """Every third tick a withdrawal, a trade of makers, a top-up; once, one who asks too much."""
        traders = [holder for holder in self.holders if not holder.person.maker]
        makers = [holder for holder in self.holders if holder.person.maker]
        if number % _BUSINESS_EVERY:
            return
        self.withdraw(self.rng.choice(makers), 0, 1_000 * 10**6)
        if number == _BUSINESS_EVERY:
            self.withdraw(traders[0], 0, 10**15)
        open_rows = [
            row
            for row in self.episode.listings
            if row.token_decimals is None and not is_limited(tick.instruments[row.id])
        ]
        if open_rows:
            row = self.rng.choice(open_rows)
            buyer, seller = self.rng.sample(makers, 2)
            coins = Fraction(5_000) / row.quote_price(tick.instruments[row.id].mark)
            self.trade(buyer, seller, row.id, max(1, row.steps(coins)))
        weak = [holder for holder in traders if self.leverage(holder, tick) > Fraction(1, 2)]
        if weak:
            holder = self.rng.choice(weak)
            self.venue.deposit(holder, 0, 500 * 10**6, EntryKind.ACCOUNT, holder.account_id)
            self.venue.settled()

    def leverage(self, holder: Holder, tick: Tick) -> Fraction:
        """Maintenance over equity."""
        now = risk(self.sequencer.ledger.account(holder.account_id), tick)
        return Fraction(now.maintenance, max(now.equity, 1))

    def bids(self, tick: Tick) -> tuple[list[Touch], list[int]]:
        """Every maker's bids for this tick, a few nonces ahead."""
        perpetuals = [row.id for row in self.episode.listings if row.token_decimals is None]
        touches, nonces = [], []
        makers = [holder for holder in self.holders if holder.person.maker]
        for index, holder in enumerate(makers):
            account = self.sequencer.ledger.account(holder.account_id)
            instrument = perpetuals[index % len(perpetuals)]
            side = int(index // len(perpetuals) % 3 == 2)  # two thirds stand ready to buy, one third to sell
            row = self.listings[instrument]
            mark = tick.instruments[instrument].mark
            size = row.steps(Fraction(40_000) / row.quote_price(mark))
            for ahead in range(_BIDS_EACH):
                nonce = account.nonce + ahead
                touches.append(
                    sign_touch(
                        bid_touch(holder.account_id, instrument, side, size, mark),
                        account,
                        holder.key,
                        tick.slot,
                        self.sequencer.domain,
                        nonce,
                    )
                )
                nonces.append(nonce)
        return touches, nonces

    # ---------------------------------------------------------------- figures

    def count(self, effects: list[Effect]) -> None:
        """Add effects to the figures; refused deposits are kept for the report."""
        for effect in effects:
            self.operations[Op(effect.touch.op).name.lower()] += 1
            entry = effect.touch.entry
            if entry is not None and not effect.touch.flag:
                self.operations["deposit_refused"] += 1
                self.refusals.append(
                    {
                        "slot": self.sequencer.tick.slot,
                        "reason": f"deposit {entry.index} to account {entry.target} is refused and refunded",
                    }
                )

    def health(self, tick: Tick) -> dict[str, int]:
        """How many people's accounts that owe margin stand below 1, 1.1, 1.5 times it, and above.

        An account without positions owes none and is not counted, nor are the venue's own backstop accounts.
        """
        counts = {"below_maintenance": 0, "lt_1_1": 0, "lt_1_5": 0, "ge_1_5": 0}
        for _, account in self.sequencer.ledger.accounts():
            now = risk(account, tick)
            if not account.owner or (now.maintenance == 0 and now.health >= 0):
                continue
            if now.health < 0:
                counts["below_maintenance"] += 1
            elif 10 * now.equity < 11 * now.maintenance:
                counts["lt_1_1"] += 1
            elif 2 * now.equity < 3 * now.maintenance:
                counts["lt_1_5"] += 1
            else:
                counts["ge_1_5"] += 1
        return counts

    def figures(
        self, number: int, slot: int, tick: Tick, before: dict[str, int], due: list[Effect]
    ) -> dict[str, Any]:
        """What the summary says of a tick, at which `due` was done."""
        closed = [effect for effect in due if effect.touch.op in (Op.LIQUIDATE, Op.DELEVERAGE)]
        full = sum(effect.after.holding(effect.touch.instrument) is None for effect in closed)
        reserve = self.sequencer.ledger.reserve // FINE  # quote base units; a deficit is rounded up
        marks = {
            row.symbol: f"{float(row.quote_price(tick.instruments[row.id].mark)):.6g}"
            for row in self.episode.listings
        }
        return {
            "n": number,
            "slot": slot,
            "time": tick.time,
            "marks": marks,
            "limited": [row.symbol for row in self.episode.listings if is_limited(tick.instruments[row.id])],
            "oracles_differ_on": self.market.spread(slot),
            "health": before,
            "liquidations": {
                "partial": len(closed) - full,
                "full": full,
                "absorbed": sum(
                    effect.touch.op == Op.ABSORB and effect.risk_before.equity < 0 for effect in due
                ),
                "deleveraged": sum(effect.touch.op == Op.DELEVERAGE for effect in due),
            },
            "unhealthy_after": len(self.sequencer.unhealthy()),
            "insurance_fund": str(max(reserve, 0)),
            "deficit": str(max(-reserve, 0)),
            "covered": False,  # until the contract says so
        }
