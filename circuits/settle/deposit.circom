// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "comparators.circom";
include "lib/sign.circom";

// Whether the queue's next entry is valid (SPEC section 4, deposit). The verdict is computed from what is opened: a prover can neither
// refuse a valid entry nor credit an invalid one, and one of the two can be proved for every entry the contract accepts.
// Attacks: refusing a valid entry by opening another leaf (the leaf is fixed whenever the target exists); opening a leaf in use
// for a new account; a deposit to somebody else's account that fills its slots with dust (the depositor must be its address).
// Widths: nextId <= capacity < 2^32, by induction; target 32, depositor 160, ownerHi 128 bits, ranged by the caller so that the words the
// contract writes have one reading. NOTE: `fits` says that the credited sum stays below its limit; ownerHi*2^128 + ownerLo < p and
// asset < instruments are the contract's.
template Deposit(capacity) {
    signal input deposit;
    signal input open;
    signal input credit;
    signal input depositor;
    signal input target;
    signal input ownerHi;
    signal input ownerLo;
    signal input isQuote;
    signal input collateral;
    signal input usable;
    signal input fits;
    signal input leaf;
    signal input id;
    signal input addr;
    signal input isBackstop;
    signal input nextId;
    signal output fund;             // the entry is for the insurance fund
    signal output owner;
    signal output okFund;
    signal output okAccount;        // credits the opened account
    signal output okOpen;           // ... which is new

    // Kind of the entry: fund, open or account. Other operations have none.
    open * (open - 1) === 0;
    credit * (credit - 1) === 0;
    open * credit === 0;
    (1 - deposit) * (open + credit) === 0;
    fund <== deposit - open - credit;
    owner <== ownerHi * (1 << 128) + ownerLo;

    // open: there is an owner and an id left; then the leaf must be empty.
    signal noOwner <== IsZero()(owner);
    signal full <== IsZero()(nextId - capacity);
    signal possible <== (1 - noOwner) * (1 - full);
    signal opens <== possible * open;
    opens * (leaf - EMPTY_LEAF()) === 0;

    // account: the target exists; then the leaf must be its.
    signal noTarget <== IsZero()(target);
    signal exists <== NonNegative(BITS_ACCOUNT_ID())(nextId - 1 - target);
    signal named <== (1 - noTarget) * exists;
    signal credits <== named * credit;
    credits * (id - target) === 0;

    // Asset rule.
    signal same <== IsZero()(depositor - addr);
    signal own <== same * (1 - isBackstop);
    signal allowed <== open + credit * own;
    signal held <== collateral * usable;
    signal rule <== isQuote + held * allowed;
    signal taken <== (opens + credits) * rule;
    signal toFund <== fund * isQuote;

    okFund <== fits * toFund;
    okAccount <== fits * taken;
    okOpen <== okAccount * open;
}
