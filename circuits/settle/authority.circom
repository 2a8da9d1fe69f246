// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/poseidon.circom";
include "lib/eddsa.circom";

// Where signed = 1: the key (ax, ay) is the account's and signed exactly these terms, for this chain and ledger, at the account's
// nonce, to be used no later than lastSlot.
// Attacks: a message replayed (the nonce goes up by one and can't carry into the address), on another chain or contract (domain), later
// than meant (lastSlot), as another kind (tag), or read with other fields (every packed field is ranged: id and nonce where the
// account is opened, lastSlot here, the terms by the caller).
// Widths: id, nonce, lastSlot, slot 32 (auth 96 bits); terms 237 bits; lastSlot - slot in 32 bits.
template Authority() {
    signal input signed;
    signal input kind;              // tag of the operation
    signal input domain;
    signal input owner;
    signal input id;
    signal input nonce;
    signal input isBackstop;
    signal input slot;
    signal input lastSlot;
    signal input terms;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;

    signed * isBackstop === 0;

    component lastBits = Num2Bits(BITS_SLOT());
    lastBits.in <== lastSlot;
    (1 - signed) * lastSlot === 0;
    signal due <== signed * slot;
    component notExpired = Num2Bits(BITS_SLOT());
    notExpired.in <== lastSlot - due;

    signal exhausted <== IsZero()(nonce - (1 << BITS_NONCE()) + 1);
    signed * exhausted === 0;

    component key = PoseidonV(3);
    key.inputs[0] <== TAG_OWNER();
    key.inputs[1] <== ax;
    key.inputs[2] <== ay;
    signed * (key.out - owner) === 0;

    component message = PoseidonV(4);
    message.inputs[0] <== kind;
    message.inputs[1] <== domain;
    message.inputs[2] <== id * (1 << AUTH_ACCOUNT_ID()) + nonce * (1 << AUTH_NONCE()) + lastSlot * (1 << AUTH_LAST_SLOT());
    message.inputs[3] <== terms;

    component signature = EdDSAVerify();
    signature.enabled <== signed;
    signature.ax <== ax;
    signature.ay <== ay;
    signature.r8x <== r8x;
    signature.r8y <== r8y;
    signature.s <== s;
    signature.msg <== message.out;
}
