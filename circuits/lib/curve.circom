// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// Baby Jubjub: a x^2 + y^2 = 1 + d x^2 y^2 with a = 168700 (a square), d = 168696 (no square), 8 * order points; and its Montgomery form
// v^2 = u^3 + 168698 u^2 + u with u = (1 + y)/(1 - y), v = u/x. In the Edwards form the sum of any two points of the curve has denominators
// that are not 0, because d is no square: nothing is left free there. In the Montgomery form each use must say why no denominator is 0.
function CURVE_A() { return 168700; }
function CURVE_D() { return 168696; }
function MONTGOMERY_A() { return 168698; }
// The order of the prime subgroup: 2^250 < ORDER < 2^251 and 8 * ORDER is just above the field's modulus.
function ORDER() { return 2736030358979909402780800718157159386076813972158567259200215660948447373041; }

// (x, y) is on the curve.
template OnCurve() {
    signal input x;
    signal input y;
    signal x2 <== x * x;
    signal y2 <== y * y;
    CURVE_D() * x2 * y2 === CURVE_A() * x2 + y2 - 1;
}

// out = (x1, y1) + (x2, y2). NOTE: both on the curve.
template EdwardsAdd() {
    signal input x1;
    signal input y1;
    signal input x2;
    signal input y2;
    signal output x;
    signal output y;
    signal cross1 <== x1 * y2;
    signal cross2 <== y1 * x2;
    signal mixed <== (y1 - CURVE_A() * x1) * (x2 + y2);
    signal both <== CURVE_D() * cross1 * cross2;
    x <-- (cross1 + cross2) / (1 + both);
    x * (1 + both) === cross1 + cross2;
    y <-- (mixed + CURVE_A() * cross1 - cross2) / (1 - both);
    y * (1 - both) === mixed + CURVE_A() * cross1 - cross2;
}

// out = 2 (x, y). NOTE: on the curve; by its equation the denominators are those of (x, y) + (x, y), 1 + d x^2 y^2 and 1 - d x^2 y^2.
template EdwardsDouble() {
    signal input x;
    signal input y;
    signal output xOut;
    signal output yOut;
    signal x2 <== x * x;
    signal y2 <== y * y;
    signal xy <== x * y;
    var sum = CURVE_A() * x2 + y2;
    xOut <-- 2 * xy / sum;
    xOut * sum === 2 * xy;
    yOut <-- (y2 - CURVE_A() * x2) / (2 - sum);
    yOut * (2 - sum) === y2 - CURVE_A() * x2;
}

// The Montgomery form of (x, y), in which u and v are not 0. NOTE: in the prime subgroup. Unsatisfiable for the neutral point (0, 1): 0 =
// 2. For all others x is not 0, so y is neither 1 nor -1, and both equations have one solution.
template ToMontgomery() {
    signal input x;
    signal input y;
    signal output u;
    signal output v;
    u <-- (1 + y) / (1 - y);
    u * (1 - y) === 1 + y;
    v <-- u / x;
    v * x === u;
}

// The Edwards form of (u, v). NOTE: in the prime subgroup. There v is not 0 (else the order were 2) and u is not -1 (no point of the curve
// has it).
template ToEdwards() {
    signal input u;
    signal input v;
    signal output x;
    signal output y;
    x <-- u / v;
    x * v === u;
    y <-- (u - 1) / (u + 1);
    y * (u + 1) === u - 1;
}

// out = 2 (u, v) in Montgomery form. NOTE: on the curve with v != 0.
template MontgomeryTwice() {
    signal input u;
    signal input v;
    signal output uOut;
    signal output vOut;
    signal u2 <== u * u;
    signal slope;
    slope <-- (3 * u2 + 2 * MONTGOMERY_A() * u + 1) / (2 * v);
    slope * 2 * v === 3 * u2 + 2 * MONTGOMERY_A() * u + 1;
    uOut <== slope * slope - MONTGOMERY_A() - 2 * u;
    vOut <== slope * (u - uOut) - v;
}
