// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";

// out = 1 iff in >= 0, for a signed in. NOTE: the caller must know that -2^n <= in < 2^n: then in + 2^n lies in
// 0 .. 2^(n+1) - 1 and its top bit is the answer; anything outside is unsatisfiable, never a wrong answer (n < 252).
template NonNegative(n) {
    signal input in;
    signal output out;
    component bits = Num2Bits(n + 1);
    bits.in <== in + (1 << n);
    out <== bits.out[n];
}
