// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";

// ratio / 2^16 times an instrument's move now is at most its move then, for every instrument. So an account's exposure then is at least
// ratio / 2^16 times its exposure now. Where an instrument had no move then and has one now, ratio is 0.
// The attack: a ratio above the true one, which would make a radius at the present tick too large.
// Widths: ratio 17 bits, moves <= 2^64: 2^16*w <= 2^80, ratio*w < 2^81, so a negative difference is no number of 82 bits.
template MoveRatio(instruments) {
    signal input ratio;
    signal input then[instruments];
    signal input now[instruments];
    component ratioBits = Num2Bits(SCALE_RADIUS_BITS() + 1);
    ratioBits.in <== ratio;
    component spare[instruments];
    signal part[instruments];
    for (var k = 0; k < instruments; k++) {
        part[k] <== ratio * now[k];
        spare[k] = Num2Bits(82);
        spare[k].in <== then[k] * (1 << SCALE_RADIUS_BITS()) - part[k];
    }
}
