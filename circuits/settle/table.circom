// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/sponge.circom";

// The sparse table check (SPEC section 4): the claims (E - B, M, W - B, I) of T opened accounts are the sums over their holdings of
// the tick's unit values. lambda absorbs the leaves (so balances, classes and magnitudes) and every claim, beta the weights; so all are
// chosen before the challenges. The second line fixes each weight: fractions 1/(beta - t) with distinct poles are
// independent, and class ids are integers bound by bits. The first is a random combination of the claims.
// mu comes from its own hash: a power of lambda would share monomials with Horner's powers.
// Free hints: weights (fixed by the second line), inverses (fixed by inverse * x = 1).
template TableCheck(T, instruments) {
    var P = HOLDINGS();
    var K = 8 * instruments;
    signal input root;
    signal input tick;
    signal input rows[instruments][17];
    signal input leaf[T];
    signal input claim[T][4];
    signal input class[T][P];
    signal input x[T][P];
    signal input weights[K];

    component lambda = Sponge(TAG_LAMBDA(), 2 + 5*T);
    lambda.d[0] <== root;
    lambda.d[1] <== tick;
    for (var a = 0; a < T; a++) {
        lambda.d[2 + 5*a] <== leaf[a];
        for (var c = 0; c < 4; c++) { lambda.d[3 + 5*a + c] <== claim[a][c]; }
    }
    component mu = PoseidonV(2);
    mu.inputs[0] <== lambda.out;
    mu.inputs[1] <== TAG_MU();
    component weightsHash = Sponge(TAG_WEIGHTS(), K);
    for (var t = 0; t < K; t++) { weightsHash.d[t] <== weights[t]; }
    component beta = PoseidonV(2);
    beta.inputs[0] <== lambda.out;
    beta.inputs[1] <== weightsHash.out;

    signal mu2;
    signal mu3;
    mu2 <== mu.out * mu.out;
    mu3 <== mu2 * mu.out;

    // First line, left: Horner in lambda over the combined claims.
    signal combined[T][3];
    signal horner[T + 1];
    horner[0] <== 0;
    for (var a = 0; a < T; a++) {
        combined[a][0] <== mu.out * claim[a][1];
        combined[a][1] <== mu2 * claim[a][2];
        combined[a][2] <== mu3 * claim[a][3];
        horner[a + 1] <== horner[a] * lambda.out + claim[a][0] + combined[a][0] + combined[a][1] + combined[a][2];
    }
    // First line, right: weights times combined unit values. Class (k, t, side): +-e, m_t, ewl or ews, iw_t.
    signal unitM[instruments][4];
    signal unitI[instruments][4];
    signal unitW[instruments][2];
    signal weighted[K];
    var right = 0;
    for (var k = 0; k < instruments; k++) {
        unitW[k][0] <== mu2 * rows[k][7];
        unitW[k][1] <== mu2 * rows[k][8];
        for (var t = 0; t < 4; t++) {
            unitM[k][t] <== mu.out * rows[k][9 + t];
            unitI[k][t] <== mu3 * rows[k][13 + t];
            for (var side = 0; side < 2; side++) {
                var c = 8*k + 2*t + side;
                weighted[c] <== weights[c] * ((1 - 2*side) * rows[k][6] + unitM[k][t] + unitW[k][side] + unitI[k][t]);
                right += weighted[c];
            }
        }
    }
    horner[T] === right;

    // Second line: both sides as sums of fractions.
    signal inverse[T][P];
    signal fraction[T][P];
    signal fractions[T + 1];
    fractions[0] <== 0;
    for (var a = 0; a < T; a++) {
        var row = 0;
        for (var j = 0; j < P; j++) {
            inverse[a][j] <-- 1 / (beta.out - class[a][j]);
            inverse[a][j] * (beta.out - class[a][j]) === 1;
            fraction[a][j] <== x[a][j] * inverse[a][j];
            row += fraction[a][j];
        }
        fractions[a + 1] <== fractions[a] * lambda.out + row;
    }
    signal tableInverse[K];
    signal tableFraction[K];
    var total = 0;
    for (var t = 0; t < K; t++) {
        tableInverse[t] <-- 1 / (beta.out - t);
        tableInverse[t] * (beta.out - t) === 1;
        tableFraction[t] <== weights[t] * tableInverse[t];
        total += tableFraction[t];
    }
    fractions[T] === total;
}
