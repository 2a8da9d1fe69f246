// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "comparators.circom";
include "bitify.circom";
include "lib/sign.circom";

// Whether a queue entry is valid (SPEC section 4, deposit): computed from the entry, the opened account and the ledger's scalars,
// never a hint, so that the sequencer can neither refuse a valid entry nor perform an invalid one, and every entry that the
// contract lets into the queue has exactly one outcome.
// Widths: amount 64, target, nextId, id 32, reserve and balance 121 signed; oldX 48.
// NOTE: kinds are one-hot. oldX is that of the slot of the asset: the caller fixes the slot where it matters.
template DepositRule(instruments, capacity) {
    signal input targetOk;
    signal input fund;
    signal input open;
    signal input credit;
    signal input isQuote;
    signal input isCollateral;
    signal input amount;
    signal input owner;
    signal input depositor;
    signal input reserve;
    signal input nextId;
    signal input id;
    signal input addr;
    signal input balance;
    signal input hasRoom;
    signal input oldX;
    signal output ok;

    // Quote: what is credited stays below 2^119. |reserve|, |balance| <= 2^120, amount*2^32 < 2^96: within 2^121.
    signal base[2];
    base[0] <== fund * reserve;
    base[1] <== credit * balance;
    component fits = NonNegative(121);
    fits.in <== (1 << 119) - 1 - base[0] - base[1] - amount * (1 << 32);

    // open: an owner, a free leaf
    component ownerless = IsZero();
    ownerless.in <== owner;
    component room = LessThan(32);
    room.in[0] <== nextId;
    room.in[1] <== capacity;
    signal openable;
    openable <== (1 - ownerless.out) * room.out;
    signal openOk;
    openOk <== openable * (isQuote + isCollateral);

    // credit: a known account
    component backstop = LessThan(32);
    backstop.in[0] <== id;
    backstop.in[1] <== instruments;
    component owns = IsEqual();
    owns.in[0] <== depositor;
    owns.in[1] <== addr;
    component small = LessThan(65);
    small.in[0] <== oldX + amount;
    small.in[1] <== 1 << 48;
    signal collateralRoom;
    signal ownerDeposits;
    signal fitsSlot;
    signal collateralOk;
    signal quoteOk;
    collateralRoom <== isCollateral * hasRoom;
    ownerDeposits <== (1 - backstop.out) * owns.out;
    fitsSlot <== collateralRoom * small.out;
    collateralOk <== fitsSlot * ownerDeposits;
    quoteOk <== isQuote * fits.out;
    signal creditOk;
    creditOk <== targetOk * (quoteOk + collateralOk);

    signal part[3];
    part[0] <== fund * quoteOk;
    part[1] <== open * openOk;
    part[2] <== credit * creditOk;
    ok <== part[0] + part[1] + part[2];
}

// Whether a deposit's target is an account that exists, and whether its validity depends on the slot of the asset (a collateral deposit
// to a known account that has room for it): then the caller fixes the slot, valid or not, so that oldX is no choice.
template DepositTarget() {
    signal input credit;
    signal input target;
    signal input nextId;
    signal input isCollateral;
    signal input hasRoom;
    signal output targetOk;
    signal output slotMatters;
    component noTarget = IsZero();
    noTarget.in <== target;
    component known = LessThan(32);
    known.in[0] <== target;
    known.in[1] <== nextId;
    targetOk <== (1 - noTarget.out) * known.out;
    signal credits;
    credits <== credit * targetOk;
    signal roomy;
    roomy <== isCollateral * hasRoom;
    slotMatters <== credits * roomy;
}
