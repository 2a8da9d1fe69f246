// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";

// out = floor(in / 2^32). NOTE: 0 <= in < 2^(n + 32), n <= 200. Quotient and remainder are hints, fixed by
// out*2^32 + r = in with out in n bits and r in 32: no other pair exists, since both sides are below 2^(n + 32).
template ShiftDown(n) {
    signal input in;
    signal output out;
    signal r;
    out <-- in \ (1 << 32);
    r <-- in % (1 << 32);
    out * (1 << 32) + r === in;
    component outBits = Num2Bits(n);
    outBits.in <== out;
    component rBits = Num2Bits(32);
    rBits.in <== r;
}

// out = floor(a * b / 2^32). NOTE: 0 <= a*b < 2^(n + 32).
template MulShift(n) {
    signal input a;
    signal input b;
    signal output out;
    component shift = ShiftDown(n);
    shift.in <== a * b;
    out <== shift.out;
}

// out = ceil(a * b / 2^32). NOTE: 0 <= a*b <= 2^(n + 32) - 2^32.
template MulShiftUp(n) {
    signal input a;
    signal input b;
    signal output out;
    component shift = ShiftDown(n);
    shift.in <== a * b + (1 << 32) - 1;
    out <== shift.out;
}
