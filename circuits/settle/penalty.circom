// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";
include "comparators.circom";

// rho = min(rate, floor(2^32 * equity / maintenance)): the penalty as a share of released maintenance (times 2^32).
// NOTE: 0 <= equity, 1 <= maintenance < 2^117 and equity < maintenance + 1, so that the quotient has 33 bits; rate < 2^33.
// The hints q, r are fixed by q*M + r = 2^32*E, 0 <= r < M: q*M < 2^150, far from wrapping.
template PenaltyShare() {
    signal input equity;
    signal input maintenance;
    signal input rate;
    signal output rho;
    signal q;
    signal r;
    q <-- (equity * (1 << 32)) \ maintenance;
    r <-- (equity * (1 << 32)) % maintenance;
    q * maintenance + r === equity * (1 << 32);
    component qBits = Num2Bits(33);
    qBits.in <== q;
    component rBits = Num2Bits(117);
    rBits.in <== r;
    component less = LessThan(117);
    less.in[0] <== r;
    less.in[1] <== maintenance;
    less.out === 1;
    component capped = LessThan(33);
    capped.in[0] <== q;
    capped.in[1] <== rate;
    rho <== rate + capped.out * (q - rate);
}
