// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/ledger.circom";
include "lib/poseidon.circom";

// A whole page, every leaf opened: its root. Class ids are given by their bits (12 each, 144 an account): packed they are `slots`, so that
// they are integers fixed before any challenge. Owner and meta are read by nobody and stay as they are hashed.
// Magnitudes and balances are ranged when written; the hash binds them.
template Page(A) {
    var P = HOLDINGS();
    signal input owner[A];
    signal input meta[A];
    signal input balance[A];
    signal input classBits[A][P][12];
    signal input x[A][P];
    signal output root;

    component tree = PageTree(A);
    for (var a = 0; a < A; a++) {
        var packed = 0;
        for (var j = 0; j < P; j++) {
            var c = 0;
            for (var b = 0; b < 12; b++) {
                classBits[a][j][b] * (classBits[a][j][b] - 1) === 0;
                c += classBits[a][j][b] * (1 << b);
            }
            packed += c * (1 << (12*j));
        }
        tree.leaves[a] <== LeafHash()(owner[a], meta[a], balance[a], packed, x[a]);
    }
    root <== tree.root;
}

// The root of the 8-ary tree over A = 8^n leaves.
template PageTree(A) {
    signal input leaves[A];
    signal output root;
    var B = A \ 8;
    component node[B];
    for (var i = 0; i < B; i++) {
        node[i] = PoseidonV(8);
        for (var c = 0; c < 8; c++) { node[i].inputs[c] <== leaves[8*i + c]; }
    }
    component above;
    if (B > 1) {
        above = PageTree(B);
        for (var i = 0; i < B; i++) { above.leaves[i] <== node[i].out; }
        root <== above.root;
    } else {
        root <== node[0].out;
    }
}
