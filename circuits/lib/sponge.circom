// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/poseidon.circom";

// out = sponge(tag, d) of SPEC section 3: a chain of Poseidon16 blocks, opened by tag*2^32 + n, so that a list
// can't be read as one of another kind or length. n >= 1.
template Sponge(tag, n) {
    signal input d[n];
    signal output out;

    var blocks = (n + 14) \ 15;
    component block[blocks];
    for (var b = 0; b < blocks; b++) {
        block[b] = PoseidonV(16);
        if (b == 0) { block[b].inputs[0] <== tag * (1 << 32) + n; } else { block[b].inputs[0] <== block[b - 1].out; }
        for (var i = 0; i < 15; i++) {
            if (15*b + i < n) { block[b].inputs[i + 1] <== d[15*b + i]; } else { block[b].inputs[i + 1] <== 0; }
        }
    }
    out <== block[blocks - 1].out;
}
