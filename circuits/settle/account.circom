// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "lib/poseidon.circom";

// Opens an account leaf: `leaf` is the hash of (owner, meta, balance, slots, x0..x11), with meta and slots taken apart into
// ranged fields. The attack: another reading of the same packed value; stopped by decomposing every field into its bits.
// Magnitudes and the balance are not ranged here: they were when written, and the hash binds them.
// Widths: id 32, nonce 32, address 160 (meta 224 bits); twelve class ids of 12 bits (slots 144 bits).
template OpenAccount() {
    var P = HOLDINGS();
    signal input owner;
    signal input id;
    signal input nonce;
    signal input addr;
    signal input balance;
    signal input classBits[P][12];
    signal input x[P];
    signal output leaf;
    signal output slots;
    signal output class[P];
    signal output inst[P];      // instrument of each slot, 0 when empty

    component idBits = Num2Bits(BITS_ACCOUNT_ID());
    component nonceBits = Num2Bits(BITS_NONCE());
    component addrBits = Num2Bits(BITS_ADDRESS());
    idBits.in <== id;
    nonceBits.in <== nonce;
    addrBits.in <== addr;

    var packed = 0;
    for (var j = 0; j < P; j++) {
        var c = 0;
        for (var b = 0; b < 12; b++) {
            classBits[j][b] * (classBits[j][b] - 1) === 0;
            c += classBits[j][b] * (1 << b);
        }
        class[j] <== c;
        inst[j] <== (c - classBits[j][0] - 2*classBits[j][1] - 4*classBits[j][2]) / 8;
        packed += c * (1 << (12*j));
    }
    slots <== packed;

    component hash = PoseidonV(16);
    hash.inputs[0] <== owner;
    hash.inputs[1] <== id * (1 << META_ACCOUNT_ID()) + nonce * (1 << META_NONCE()) + addr * (1 << META_ADDRESS());
    hash.inputs[2] <== balance;
    hash.inputs[3] <== slots;
    for (var j = 0; j < P; j++) { hash.inputs[4 + j] <== x[j]; }
    leaf <== hash.out;
}
