// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";
include "comparators.circom";

// over[t] = 1 iff x > bounds[t]; the tier of a magnitude is their number.
// Widths: x < 2^49 (the caller's), bounds < 2^48 (parameters, checked when they are set): |x - bound - 1| <= 2^49.
// NOTE: bounds ascend, so over[0] >= over[1] >= over[2], and a tier's charge is charge 0 plus the steps passed.
template Tier() {
    signal input x;
    signal input bounds[3];
    signal output over[3];
    component sign[3];
    for (var t = 0; t < 3; t++) {
        sign[t] = Num2Bits(51);
        sign[t].in <== x - bounds[t] - 1 + (1 << 50);
        over[t] <== sign[t].out[50];
    }
}

// The same for x + 1 (shrinks = 0) or x - 1 (shrinks = 1), out of the comparisons for x:
// x + 1 > b iff x > b or x = b;  x - 1 > b iff x > b and x is not b + 1.
template TierNext() {
    signal input x;
    signal input shrinks;
    signal input bounds[3];
    signal input over[3];
    signal output next[3];
    signal edge[3];
    for (var t = 0; t < 3; t++) {
        edge[t] <== IsZero()(x - bounds[t] - shrinks);
        next[t] <== over[t] + (1 - 2 * shrinks) * edge[t];
    }
}

// x times the charge of the tier that `over` marks.
template Charge() {
    signal input x;
    signal input over[3];
    signal input unit[4];
    signal output out;
    signal step[3];
    var u = unit[0];
    for (var t = 0; t < 3; t++) {
        step[t] <== over[t] * (unit[t + 1] - unit[t]);
        u += step[t];
    }
    out <== x * u;
}

// x times the charge of the tier given by its two bits, as stored in a class id.
template StoredCharge() {
    signal input x;
    signal input bits[2];
    signal input both;          // bits[0] * bits[1]
    signal input unit[4];
    signal output out;
    signal step[3];
    step[0] <== bits[0] * (unit[1] - unit[0]);
    step[1] <== bits[1] * (unit[2] - unit[0]);
    step[2] <== both * (unit[3] - unit[2] - unit[1] + unit[0]);
    out <== x * (unit[0] + step[0] + step[1] + step[2]);
}
