// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";
include "comparators.circom";
include "lib/sign.circom";

// median is the lower median of the present values: fewer than k+1 of them lie below it, and at least k+1 at or below it, k = floor((n-1)/2).
// Those two counts leave exactly one value, the k-th of the sorted list, so it needs no proof of being one of them.
// Attack: a median chosen between reports; stopped by the counts. Counts are below 2^5 (at most 16 oracles).
// NOTE: values and median are in bits, present is 0 or 1.
template LowerMedian(oracles, bits) {
    signal input values[oracles];
    signal input present[oracles];
    signal input k;
    signal input median;

    component ranged = Num2Bits(bits);
    ranged.in <== median;
    component less[oracles];
    component equal[oracles];
    signal below[oracles];
    signal level[oracles];
    var underSum = 0;
    var levelSum = 0;
    for (var o = 0; o < oracles; o++) {
        less[o] = LessThan(bits);
        less[o].in[0] <== values[o];
        less[o].in[1] <== median;
        equal[o] = IsEqual();
        equal[o].in[0] <== values[o];
        equal[o].in[1] <== median;
        below[o] <== present[o] * less[o].out;
        level[o] <== present[o] * equal[o].out;
        underSum += below[o];
        levelSum += level[o];
    }
    component notTooHigh = NonNegative(5);
    notTooHigh.in <== k - underSum;
    notTooHigh.out === 1;
    component notTooLow = NonNegative(5);
    notTooLow.in <== underSum + levelSum - k - 1;
    notTooLow.out === 1;
}
