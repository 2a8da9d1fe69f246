// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/ledger.circom";

// Opens an account leaf: `leaf` is the hash of (owner, meta, balance, slots, x0..x11), with meta and slots taken apart into
// ranged fields. The attack: another reading of the same packed value; stopped by decomposing every field into its bits.
// Magnitudes and the balance are not ranged here: they were when written, and the hash binds them.
// Widths: id 32, nonce 32, address 160 (meta 224 bits); twelve class ids of 12 bits (slots 144 bits).
// @output class {12 bits}, inst {9 bits: the instrument of each slot, 0 when empty}, isBackstop {id < instruments}
template OpenAccount(instruments) {
    var P = HOLDINGS();
    var low = 0;
    while ((1 << low) < instruments) { low++; }
    assert((1 << low) == instruments);          // so that id < instruments is a matter of its upper bits
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
    signal output inst[P];
    signal output isBackstop;

    component idBits = Num2Bits(BITS_ACCOUNT_ID());
    component nonceBits = Num2Bits(BITS_NONCE());
    component addrBits = Num2Bits(BITS_ADDRESS());
    idBits.in <== id;
    nonceBits.in <== nonce;
    addrBits.in <== addr;
    var upper = 0;
    for (var b = low; b < BITS_ACCOUNT_ID(); b++) { upper += idBits.out[b]; }
    isBackstop <== IsZero()(upper);

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

    component hash = LeafHash();
    hash.owner <== owner;
    hash.meta <== id * (1 << META_ACCOUNT_ID()) + nonce * (1 << META_NONCE()) + addr * (1 << META_ADDRESS());
    hash.balance <== balance;
    hash.slots <== slots;
    hash.x <== x;
    leaf <== hash.out;
}
