// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/sponge.circom";

// The sparse table check (SPEC section 4): the claims (E - B, M, W - B, I; H - B and G at an anchor) of T opened accounts are the sums over their
// holdings of the tick's unit values, and of the anchor's (+-e - m and w). lambda absorbs the leaves (so balances, classes and magnitudes) and every claim, beta the weights; so all are
// chosen before the challenges. The second line fixes each weight: fractions 1/(beta - t) with distinct poles are
// independent, and class ids are integers bound by bits. The first is a random combination of the claims.
// mu comes from its own hash: a power of lambda would share monomials with Horner's powers.
// Free hints: weights (fixed by the second line), fractions (fixed by their products).
template TableCheck(T, instruments) {
    var P = HOLDINGS();
    var K = 8 * instruments;
    signal input root;
    signal input tick;
    signal input rows[instruments][17];
    signal input leaf[T];
    signal input anchorTick;
    signal input anchorEquity[instruments];
    signal input anchorMaintenance[instruments][4];
    signal input anchorMoves[instruments];
    signal input claim[T][6];
    signal input class[T][P];
    signal input x[T][P];
    signal input weights[K];

    component lambda = Sponge(TAG_LAMBDA(), 3 + 7*T);
    lambda.d[0] <== root;
    lambda.d[1] <== tick;
    lambda.d[2] <== anchorTick;
    for (var a = 0; a < T; a++) {
        lambda.d[3 + 7*a] <== leaf[a];
        for (var c = 0; c < 6; c++) { lambda.d[4 + 7*a + c] <== claim[a][c]; }
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
    signal mu4 <== mu2 * mu2;
    signal mu5 <== mu4 * mu.out;

    // First line, left: Horner in lambda over the combined claims.
    signal combined[T][5];
    signal horner[T + 1];
    horner[0] <== 0;
    for (var a = 0; a < T; a++) {
        combined[a][0] <== mu.out * claim[a][1];
        combined[a][1] <== mu2 * claim[a][2];
        combined[a][2] <== mu3 * claim[a][3];
        combined[a][3] <== mu4 * claim[a][4];
        combined[a][4] <== mu5 * claim[a][5];
        horner[a + 1] <== horner[a] * lambda.out + claim[a][0] + combined[a][0] + combined[a][1] + combined[a][2] + combined[a][3] + combined[a][4];
    }
    // First line, right: weights times unit values. Class (k, t, side): +-e, m_t, ewl or ews, iw_t; at the anchor +-e - m_t, w.
    // Instrument 0 is never held: its classes have no weight.
    signal part[instruments][17];
    var sum[6] = [0, 0, 0, 0, 0, 0];
    for (var t = 0; t < 8; t++) { weights[t] === 0; }
    for (var k = 1; k < instruments; k++) {
        var longs = 0;
        var shorts = 0;
        for (var t = 0; t < 4; t++) {
            var both = weights[8*k + 2*t] + weights[8*k + 2*t + 1];
            longs += weights[8*k + 2*t];
            shorts += weights[8*k + 2*t + 1];
            part[k][3 + t] <== both * rows[k][9 + t];
            part[k][7 + t] <== both * rows[k][13 + t];
            part[k][11 + t] <== both * anchorMaintenance[k][t];
            sum[4] -= part[k][11 + t];
            sum[1] += part[k][3 + t];
            sum[3] += part[k][7 + t];
        }
        part[k][0] <== (longs - shorts) * rows[k][6];
        part[k][15] <== (longs - shorts) * anchorEquity[k];
        part[k][16] <== (longs + shorts) * anchorMoves[k];
        sum[4] += part[k][15];
        sum[5] += part[k][16];
        part[k][1] <== longs * rows[k][7];
        part[k][2] <== shorts * rows[k][8];
        sum[0] += part[k][0];
        sum[2] += part[k][1] + part[k][2];
    }
    for (var i = 0; i < 17; i++) { part[0][i] <== 0; }
    signal scaled[5];
    scaled[0] <== mu.out * sum[1];
    scaled[1] <== mu2 * sum[2];
    scaled[2] <== mu3 * sum[3];
    scaled[3] <== mu4 * sum[4];
    scaled[4] <== mu5 * sum[5];
    horner[T] === sum[0] + scaled[0] + scaled[1] + scaled[2] + scaled[3] + scaled[4];

    // Second line: both sides as sums of fractions. fraction * (beta - class) = x fixes the fraction unless beta is a class id;
    // beta is a hash of everything that stands here and hits one of 2^12 numbers with probability 2^-242.
    signal fraction[T][P];
    signal fractions[T + 1];
    fractions[0] <== 0;
    for (var a = 0; a < T; a++) {
        var row = 0;
        for (var j = 0; j < P; j++) {
            fraction[a][j] <-- x[a][j] / (beta.out - class[a][j]);
            fraction[a][j] * (beta.out - class[a][j]) === x[a][j];
            row += fraction[a][j];
        }
        fractions[a + 1] <== fractions[a] * lambda.out + row;
    }
    signal pole[K];
    var total = 0;
    for (var t = 0; t < K; t++) {
        if (t < 8) {
            pole[t] <== 0;
        } else {
            pole[t] <-- weights[t] / (beta.out - t);
            pole[t] * (beta.out - t) === weights[t];
        }
        total += pole[t];
    }
    fractions[T] === total;
}
