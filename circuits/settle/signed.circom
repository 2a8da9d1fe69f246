// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";
include "comparators.circom";

// A signed size in steps as side and magnitude: in = (1 - 2*side) * x, x < 2^n, side = 0 when x = 0, so that both are determined.
// NOTE: |in| < 2^(n+1) is the caller's; the side is a hint, fixed by the range of x: the other side would make x negative.
template SignedSize(n) {
    signal input in;
    signal output side;
    signal output x;
    signal output isZero;
    side <-- in < 0 ? 1 : 0;
    side * (side - 1) === 0;
    x <== in - 2 * side * in;
    component bits = Num2Bits(n);
    bits.in <== x;
    component zero = IsZero();
    zero.in <== x;
    isZero <== zero.out;
    side * isZero === 0;
}
