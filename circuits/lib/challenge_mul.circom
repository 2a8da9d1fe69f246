// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/atmost.circom";
include "lib/curve.circom";

// out = h * (x, y), h read as the integer 0 .. p - 1. NOTE: (x, y) is in the prime subgroup; unsatisfiable for its neutral point.
//
// h = (q - 1) ORDER + W, W = 2^250 + N, N of 251 bits, q = 0 .. 8: ORDER times the point is neutral, so that h times the point is W times
// it. Attack: h + p or h - p in place of h, since the field can't tell them apart: the integer (q - 1) ORDER + W must be in 0 .. p - 1.
// It is below 0 only for q = 0 and N < ORDER - 2^250; it is p or more only for q = 8 and N > p - 1 - 7 ORDER - 2^250 (for q = 7 it stays
// below 6 ORDER + 3 * 2^250 < p). Those two are the AtMosts.
//
// E = W where W is odd and W + 1 where it's even is 2^251 + sum of e_i 2^(i - 1), i = 1 .. 250, e_i = 1 for a one in N and -1 for a zero:
// from 2 Q on, 250 steps m -> 2m + e of the multiple m of Q, each acc -> (acc + e Q) + acc in Montgomery form. Then Q goes off if W is
// even. Why no slope is free, whatever h is: before step k = 0 .. 249, 2 <= m < 3 * 2^k < ORDER - 1, so that acc is neither Q nor -Q
// (first slope) and acc + e Q is not neutral; 2m + e < 3 * 2^(k + 1) is no multiple of ORDER for k < 249, so that acc + e Q is neither acc
// nor -acc (second slope). At k = 249, 2m + e may be ORDER itself: then the equation of the second slope reads 0 = 2v, which nothing
// meets. That's for h = 0 or -1 modulo ORDER, 15 of all hashes: nobody finds one, and whoever did could only not use it.
//
// Digits are e_i v instead of e_i (v of Q, not 0): one square each says both that it's a digit and what point is added.
template ChallengeMul() {
    var STEPS = 250;
    signal input h;
    signal input x;
    signal input y;
    signal output xOut;
    signal output yOut;

    component q = ToMontgomery();
    q.x <== x;
    q.y <== y;
    var u = q.u;
    var v = q.v;

    // q and N: hints, fixed by the sum below and the two AtMosts, but for such h as have two forms of the same integer: those give one W * Q.
    var over = (h \ (1 << STEPS)) != 0 ? (h - (1 << STEPS)) \ ORDER() + 1 : 0;
    var N = h - (over - 1) * ORDER() - (1 << STEPS);
    signal part[4];
    var quotient = 0;
    var WEIGHT[4] = [1, 2, 4, 1];
    for (var i = 0; i < 4; i++) {
        part[i] <-- over == 8 ? 1 : (i == 3 ? 0 : (over >> i) & 1);
        part[i] * (part[i] - 1) === 0;
        quotient += WEIGHT[i] * part[i];
    }
    signal even;
    even <-- 1 - (N & 1);
    even * (even - 1) === 0;
    signal digit[STEPS + 1];
    signal square <== v * v;
    digit[0] <== (1 - 2 * even) * v;
    var sum = digit[0];
    for (var i = 1; i <= STEPS; i++) {
        digit[i] <-- ((N >> i) & 1) == 1 ? v : -v;
        digit[i] * digit[i] === square;
        sum += digit[i] * (1 << i);
    }
    // sum of e_i 2^i = 2 N - (2^251 - 1), times v
    v * (2 * (h - (quotient - 1) * ORDER() - (1 << STEPS)) - (2 << STEPS) + 1) === sum;

    component notNegative = AtMost(STEPS + 1, (2 << STEPS) - 1 - (ORDER() - (1 << STEPS)), 1);
    component belowModulus = AtMost(STEPS + 1, -1 - 7 * ORDER() - (1 << STEPS), 0);
    notNegative.unit <== v;
    belowModulus.unit <== v;
    notNegative.slack <== quotient * v;
    belowModulus.slack <== (8 - quotient) * v;
    for (var i = 0; i <= STEPS; i++) {
        notNegative.digit[i] <== digit[i];
        belowModulus.digit[i] <== digit[i];
    }

    component start = MontgomeryTwice();
    start.u <== u;
    start.v <== v;
    signal slope1[STEPS];
    signal halfU[STEPS];
    signal slope2[STEPS];
    signal accU[STEPS];
    signal accV[STEPS];
    var lastU = start.uOut;
    var lastV = start.vOut;
    for (var k = 0; k < STEPS; k++) {
        var added = digit[STEPS - k];
        slope1[k] <-- (lastV - added) / (lastU - u);
        slope1[k] * (lastU - u) === lastV - added;
        halfU[k] <== slope1[k] * slope1[k] - MONTGOMERY_A() - lastU - u;
        // (acc + e Q) has v = slope1 (u_acc - halfU) - v_acc; the line through it and acc has slope 2 v_acc / (u_acc - halfU) - slope1.
        slope2[k] <-- 2 * lastV / (lastU - halfU[k]) - slope1[k];
        (slope1[k] + slope2[k]) * (lastU - halfU[k]) === 2 * lastV;
        accU[k] <== slope2[k] * slope2[k] - MONTGOMERY_A() - lastU - halfU[k];
        accV[k] <== slope2[k] * (lastU - accU[k]) - lastV;
        lastU = accU[k];
        lastV = accV[k];
    }
    component odd = ToEdwards();
    odd.u <== accU[STEPS - 1];
    odd.v <== accV[STEPS - 1];
    component exact = EdwardsAdd();
    exact.x1 <== odd.x;
    exact.y1 <== odd.y;
    exact.x2 <== -even * x;             // -Q or the neutral point (0, 1)
    exact.y2 <== 1 + even * (y - 1);
    xOut <== exact.x;
    yOut <== exact.y;
}
