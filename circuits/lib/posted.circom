// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/sponge.circom";

// Binds what the circuit means to the bytes on the chain (SPEC section 5): C is the hash of the circuit's own words, r the
// contract's challenge that absorbs C and its words, y the contract's polynomial at r. If the two lists of words differ
// in one place, y agrees with probability about n/p. NOTE: each word is a packing of ranged fields, so that it is an integer < 2^248.
template Posted(n) {
    signal input words[n];
    signal input C;
    signal input r;
    signal input y;

    component sponge = Sponge(TAG_DATA(), n);
    for (var i = 0; i < n; i++) { sponge.d[i] <== words[i]; }
    sponge.out === C;

    signal sum[n];
    sum[n - 1] <== words[n - 1];
    for (var i = n - 2; i >= 0; i--) { sum[i] <== sum[i + 1] * r + words[i]; }
    sum[0] === y;
}
