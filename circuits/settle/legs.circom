// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "comparators.circom";

// How touches hang together: the pending register of SPEC section 4. What a touch leaves pending depends on that touch alone, so the
// register is the previous touch: `opened` says what it started, the other `last` signals are its own fields.
// The attack: a first leg kept without its second, or a second leg of other terms, on the same account, or without its first.
//   trade -> trade_match; liquidate -> take_bid or take_backstop; refuse -> deleverage; deleverage -> offset
// NOTE: at most one of `opened` is 1; the first touch of a proof sees all 0, the last must open nothing (the caller's).
template Legs() {
    signal input op[12];
    signal input opened[4];         // the last touch was a trade, liquidate, refuse, deleverage
    signal input lastInstrument;
    signal input lastSide;
    signal input lastSize;
    signal input lastPrice;
    signal input lastId;
    signal input lastCounterparty;
    signal input instrument;
    signal input side;
    signal input size;
    signal input price;
    signal input id;
    signal input counterparty;

    opened[0] === op[OP_TRADE_MATCH()];
    opened[1] === op[OP_TAKE_BID()] + op[OP_TAKE_BACKSTOP()];
    opened[2] * (1 - op[OP_DELEVERAGE()]) === 0;
    opened[3] === op[OP_OFFSET()];
    // Unasked for, only an instrument's own backstop is deleveraged.
    signal alone <== op[OP_DELEVERAGE()] * (1 - opened[2]);
    alone * (id - instrument) === 0;

    var leg = opened[0] + opened[1] + opened[3];
    leg * (size - lastSize) === 0;
    leg * (price - lastPrice) === 0;
    (leg + opened[2]) * (instrument - lastInstrument) === 0;
    (leg + opened[2]) * (side + lastSide - 1) === 0;
    signal same <== IsZero()(id - lastId);
    (leg + opened[2]) * same === 0;

    op[OP_TRADE_MATCH()] * (id - lastCounterparty) === 0;
    op[OP_TRADE_MATCH()] * (counterparty - lastId) === 0;
}
