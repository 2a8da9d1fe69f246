// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/poseidon.circom";
include "lib/sponge.circom";

// newLeaf at place i (counted through the pages) is leaf at place origin[i], and origin is a permutation. The pairs (origin[i], newLeaf[i]) are
// as a multiset the pairs (i, leaf[i]): the polynomials prod (gamma - leaf - mu * place) in gamma and mu are equal. Factors of other pairs are other
// polynomials, and polynomials factor in one way, so unequal ones agree at a drawn point with probability at most pages*A/p. The places on one side are
// 0 .. pages*A - 1, each once: so they are on the other. gamma absorbs the page roots (so the leaves) and the origins: drawn after all.
// NOTE: root and newRoot are those of the leaves, the caller's.
// Widths: origins 12 bits, sixteen to a word of 192 bits.
template Permutation(pages, A) {
    var B = BITS_ORIGIN();
    var PER = 16;
    var W = A \ PER;
    signal input root[pages];
    signal input newRoot[pages];
    signal input leaf[pages][A];
    signal input newLeaf[pages][A];
    signal input originBits[pages][A][B];
    signal output words[pages][W];

    var origin[pages][A];
    for (var i = 0; i < pages; i++) {
        for (var a = 0; a < A; a++) {
            origin[i][a] = 0;
            for (var b = 0; b < B; b++) {
                originBits[i][a][b] * (originBits[i][a][b] - 1) === 0;
                origin[i][a] += originBits[i][a][b] * (1 << b);
            }
        }
        for (var w = 0; w < W; w++) {
            var packed = 0;
            for (var o = 0; o < PER; o++) { packed += origin[i][PER*w + o] * (1 << (B*o)); }
            words[i][w] <== packed;
        }
    }

    component gamma = Sponge(TAG_REGROUP(), pages * (2 + W));
    for (var i = 0; i < pages; i++) {
        gamma.d[(2 + W)*i] <== root[i];
        gamma.d[(2 + W)*i + 1] <== newRoot[i];
        for (var w = 0; w < W; w++) { gamma.d[(2 + W)*i + 2 + w] <== words[i][w]; }
    }
    component mu = PoseidonV(2);
    mu.inputs[0] <== gamma.out;
    mu.inputs[1] <== TAG_MU();

    signal was[pages*A + 1];
    signal is[pages*A + 1];
    signal shift[pages][A];
    was[0] <== 1;
    is[0] <== 1;
    for (var i = 0; i < pages; i++) {
        for (var a = 0; a < A; a++) {
            var at = i*A + a;
            was[at + 1] <== was[at] * (gamma.out - leaf[i][a] - at * mu.out);
            shift[i][a] <== origin[i][a] * mu.out;
            is[at + 1] <== is[at] * (gamma.out - newLeaf[i][a] - shift[i][a]);
        }
    }
    was[pages*A] === is[pages*A];
}
