// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "poseidon_constants.circom";

// Poseidon of n inputs, equal to circomlib's Poseidon(n).
// Linear layers are kept as linear expressions (var), so that only the S-boxes cost: 3 constraints each.
template PoseidonV(n) {
    signal input inputs[n];
    signal output out;

    var PARTIAL[16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
    var FULL = 8;
    var t = n + 1;
    var RP = PARTIAL[t - 2];
    var C[t*FULL + RP] = POSEIDON_C(t);
    var S[RP * (t*2 - 1)] = POSEIDON_S(t);
    var M[t][t] = POSEIDON_M(t);
    var PRE[t][t] = POSEIDON_P(t);

    signal square[FULL][t];
    signal fourth[FULL][t];
    signal fifth[FULL][t];
    signal square1[RP];
    signal fourth1[RP];
    signal fifth1[RP];

    var state[t];
    var next[t];
    for (var i = 0; i < t; i++) { state[i] = (i == 0 ? 0 : inputs[i - 1]) + C[i]; }

    for (var r = 0; r < FULL; r++) {
        // The partial rounds stand between the two halves of the full rounds.
        if (r == FULL / 2) {
            for (var q = 0; q < RP; q++) {
                square1[q] <== state[0] * state[0];
                fourth1[q] <== square1[q] * square1[q];
                fifth1[q] <== fourth1[q] * state[0];
                var base = (2*t - 1) * q;
                var head = fifth1[q] + C[(FULL/2 + 1)*t + q];
                var sum = S[base] * head;
                for (var i = 1; i < t; i++) { sum += S[base + i] * state[i]; }
                for (var i = 1; i < t; i++) { state[i] = state[i] + head * S[base + t + i - 1]; }
                state[0] = sum;
            }
        }
        for (var i = 0; i < t; i++) {
            square[r][i] <== state[i] * state[i];
            fourth[r][i] <== square[r][i] * square[r][i];
            fifth[r][i] <== fourth[r][i] * state[i];
        }
        for (var i = 0; i < t; i++) {
            next[i] = fifth[r][i];
            if (r < FULL/2) { next[i] += C[(r + 1)*t + i]; }
            if (r >= FULL/2 && r < FULL - 1) { next[i] += C[(FULL/2 + 1)*t + RP + (r - FULL/2)*t + i]; }
        }
        for (var i = 0; i < t; i++) {
            var sum = 0;
            for (var j = 0; j < t; j++) { sum += (r == FULL/2 - 1 ? PRE[j][i] : M[j][i]) * next[j]; }
            state[i] = sum;
        }
    }
    out <== state[0];
}
