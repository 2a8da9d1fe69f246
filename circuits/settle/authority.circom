// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/poseidon.circom";
include "lib/eddsa.circom";

// Where signed = 1: the key (ax, ay) is the account's and signed exactly these terms, for this chain and ledger, at the account's
// nonce, to be used no later than lastSlot. Every field of the message is ranged by the caller, so that packing is one to one;
// one message can't be read as another (attack: a bid used as a trade): the tag differs by kind.
// Widths: id, nonce, lastSlot, slot, counterparty 32; instrument 9; size, price, minReward 64.
template Authority() {
    signal input signed;
    signal input withdraw;
    signal input trade;
    signal input bid;
    signal input owner;
    signal input id;
    signal input nonce;
    signal input slot;
    signal input domain;
    signal input instrument;
    signal input side;
    signal input size;
    signal input price;
    signal input counterparty;
    signal input minReward;
    signal input lastSlot;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;

    component key = PoseidonV(3);
    key.inputs[0] <== TAG_OWNER();
    key.inputs[1] <== ax;
    key.inputs[2] <== ay;
    signed * (key.out - owner) === 0;

    component lastBits = Num2Bits(BITS_SLOT());
    lastBits.in <== lastSlot;
    component expired = LessThan(BITS_SLOT());
    expired.in[0] <== lastSlot;
    expired.in[1] <== slot;
    signed * expired.out === 0;

    component msg = PoseidonV(4);
    msg.inputs[0] <== withdraw * TAG_WITHDRAW() + trade * TAG_TRADE() + bid * TAG_BID();
    msg.inputs[1] <== domain;
    msg.inputs[2] <== id * (1 << AUTH_ACCOUNT_ID()) + nonce * (1 << AUTH_NONCE()) + lastSlot * (1 << AUTH_LAST_SLOT());
    msg.inputs[3] <== instrument * (1 << TERMS_INSTRUMENT()) + side * (1 << TERMS_SIDE()) + size * (1 << TERMS_SIZE())
        + price * (1 << TERMS_PRICE()) + counterparty * (1 << TERMS_COUNTERPARTY()) + minReward * (1 << TERMS_MIN_REWARD());

    component eddsa = EdDSAVerify();
    eddsa.enabled <== signed;
    eddsa.ax <== ax;
    eddsa.ay <== ay;
    eddsa.r8x <== r8x;
    eddsa.r8y <== r8y;
    eddsa.s <== s;
    eddsa.msg <== msg.out;
}
