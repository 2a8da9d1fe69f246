// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";

// out = floor(dividend / divisor) for 0 <= dividend, 1 <= divisor < 2^d, where the quotient is below 2^q; unsatisfiable elsewhere.
// Attacks: a remainder as large as the divisor (a quotient too small), a quotient that wraps; stopped by 0 <= r <= divisor - 1.
// Widths: out*divisor + r < 2^(q+d) + 2^d, q + d < 252. NOTE: the caller knows 0 <= dividend < 2^252 and divisor >= 1.
template FloorDivide(q, d) {
    signal input dividend;
    signal input divisor;
    signal output out;
    assert(q + d < 252);
    out <-- dividend \ divisor;                 // fixed by the ranges of quotient, remainder and slack
    component quotient = Num2Bits(q);
    quotient.in <== out;
    signal part <== out * divisor;
    component remainder = Num2Bits(d);
    remainder.in <== dividend - part;
    component slack = Num2Bits(d);
    slack.in <== divisor - 1 - dividend + part;
}
