// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "comparators.circom";

// Reads the slot that the one-hot z names.
template ReadSlot() {
    var P = HOLDINGS();
    signal input inst[P];
    signal input classBits[P][12];
    signal input x[P];
    signal input z[P];
    signal output oldInst;
    signal output oldSide;
    signal output oldTier[2];
    signal output oldClass;
    signal output oldX;

    var sum = 0;
    for (var j = 0; j < P; j++) {
        z[j] * (z[j] - 1) === 0;
        sum += z[j];
    }
    sum === 1;

    signal part[P][5];
    var s0 = 0; var s1 = 0; var s2 = 0; var s3 = 0; var s4 = 0;
    for (var j = 0; j < P; j++) {
        part[j][0] <== z[j] * inst[j];
        part[j][1] <== z[j] * classBits[j][0];
        part[j][2] <== z[j] * classBits[j][1];
        part[j][3] <== z[j] * classBits[j][2];
        part[j][4] <== z[j] * x[j];
        s0 += part[j][0]; s1 += part[j][1]; s2 += part[j][2]; s3 += part[j][3]; s4 += part[j][4];
    }
    oldInst <== s0;
    oldSide <== s1;
    oldTier[0] <== s2;
    oldTier[1] <== s3;
    oldClass <== 8*s0 + 4*s3 + 2*s2 + s1;
    oldX <== s4;
}

// Which slot a touch may use. Where used = 1, the slot z holds `instrument`, or it is the first empty slot and no slot holds the
// instrument; where used = 0, z is slot 0. So z is determined, and anybody who replays the touch finds the same slot.
// Attacks: a second slot for the same instrument (other slots must not hold it), a slot of another instrument overwritten.
// NOTE: z is one-hot; instrument is not 0 where used = 1; a slot is empty exactly when its instrument is 0.
template UseSlot() {
    var P = HOLDINGS();
    signal input used;
    signal input instrument;
    signal input inst[P];
    signal input z[P];
    signal input oldInst;

    (1 - used) * (1 - z[0]) === 0;
    component empty = IsZero();
    empty.in <== oldInst;
    signal mismatch;
    mismatch <== oldInst * (oldInst - instrument);
    used * mismatch === 0;

    // The product over the other slots of (holds another instrument) * (is occupied, where it stands before a new slot).
    signal other[P];
    signal earlier[P];
    signal occupied[P];
    signal factor[P];
    signal product[P + 1];
    product[0] <== 1;
    var before = 1;
    for (var j = 0; j < P; j++) {
        before -= z[j];                                       // 1 for slots before z
        other[j] <== (1 - z[j]) * (inst[j] - instrument) + z[j];
        earlier[j] <== before * empty.out;
        occupied[j] <== 1 + earlier[j] * (inst[j] - 1);
        factor[j] <== other[j] * occupied[j];
        product[j + 1] <== product[j] * factor[j];
    }
    component broken = IsZero();
    broken.in <== product[P];
    used * broken.out === 0;
}

// Whether an instrument can be held: some slot holds it, or one is free. Computed, for requests that must be refused provably.
template HasRoom() {
    var P = HOLDINGS();
    signal input instrument;
    signal input inst[P];
    signal output out;
    signal held[P + 1];
    signal free[P + 1];
    held[0] <== 1;
    free[0] <== 1;
    for (var j = 0; j < P; j++) {
        held[j + 1] <== held[j] * (inst[j] - instrument);
        free[j + 1] <== free[j] * inst[j];
    }
    signal neither;
    neither <== held[P] * free[P];
    component zero = IsZero();
    zero.in <== neither;
    out <== zero.out;
}
