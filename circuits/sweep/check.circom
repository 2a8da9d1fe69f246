// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/sponge.circom";

// The sparse table check (SPEC section 4) of one functional over all accounts of the pages: claim = 2^16*H - radius*G, which is 2^16*B plus,
// over the holdings, magnitude times the class's unit value u = 2^16*(+-e - m) - radius*w. And each claim is 0 or more.
// lambda absorbs the page roots (so balances, classes, magnitudes), the tick and the radius (so the unit values) and every claim;
// beta the weights: all are chosen before the challenges. See table.circom for why the two lines fix the claims.
// Widths: H < 2^121, so claim < 2^137; as an integer a claim is above -2^141, so a negative one is no number of 137 bits.
// Free hints: fractions, poles (fixed by their products unless beta is a class id).
template SweepCheck(pages, A, instruments) {
    var P = HOLDINGS();
    var T = TIERS();
    var STEP = 2 * T;                           // classes an instrument: tiers times sides
    var K = STEP * instruments;
    var S = SCALE_RADIUS_BITS();
    signal input tick;
    signal input radius;
    signal input equity[instruments];
    signal input maintenance[instruments][T];
    signal input moves[instruments];
    signal input pageRoot[pages];
    signal input balance[pages][A];
    signal input classBits[pages][A][P][12];    // booleans, bound by the leaf: the caller's
    signal input x[pages][A][P];
    signal input claim[pages][A];
    signal input weights[K];

    component range[pages][A];
    component lambda = Sponge(TAG_LAMBDA(), 2 + pages + pages*A);
    lambda.d[0] <== tick;
    lambda.d[1] <== radius;
    for (var i = 0; i < pages; i++) {
        lambda.d[2 + i] <== pageRoot[i];
        for (var a = 0; a < A; a++) {
            lambda.d[2 + pages + i*A + a] <== claim[i][a];
            range[i][a] = Num2Bits(137);
            range[i][a].in <== claim[i][a];
        }
    }
    component weightsHash = Sponge(TAG_WEIGHTS(), K);
    weightsHash.d <== weights;
    component beta = PoseidonV(2);
    beta.inputs[0] <== lambda.out;
    beta.inputs[1] <== weightsHash.out;

    // First line: Horner in lambda over claims less balances; weights times unit values. Instrument 0 is never held.
    signal horner[pages*A + 1];
    horner[0] <== 0;
    for (var i = 0; i < pages; i++) {
        for (var a = 0; a < A; a++) {
            horner[i*A + a + 1] <== horner[i*A + a] * lambda.out + claim[i][a] - balance[i][a] * (1 << S);
        }
    }
    signal part[instruments][T + 2];
    var sum = 0;
    for (var t = 0; t < STEP; t++) { weights[t] === 0; }
    for (var f = 0; f < T + 2; f++) { part[0][f] <== 0; }
    // Nobody is short of what has no maintenance charge (collateral, or unpriced): displacements leave those classes out.
    signal unmargined[instruments];
    unmargined[0] <== 1;
    for (var k = 1; k < instruments; k++) {
        unmargined[k] <== IsZero()(maintenance[k][0]);
        for (var t = 0; t < T; t++) { unmargined[k] * weights[STEP*k + 2*t + 1] === 0; }
    }
    for (var k = 1; k < instruments; k++) {
        var net = 0;
        var gross = 0;
        for (var t = 0; t < T; t++) {
            var both = weights[STEP*k + 2*t] + weights[STEP*k + 2*t + 1];
            net += weights[STEP*k + 2*t] - weights[STEP*k + 2*t + 1];
            gross += both;
            part[k][t] <== both * maintenance[k][t];
            sum -= part[k][t] * (1 << S);
        }
        part[k][T] <== net * equity[k];
        part[k][T + 1] <== gross * moves[k];
        sum += part[k][T] * (1 << S);
    }
    var distance = 0;
    for (var k = 1; k < instruments; k++) { distance += part[k][T + 1]; }
    signal scaled <== radius * distance;
    horner[pages*A] === sum - scaled;

    // Second line: both sides as sums of fractions.
    signal fraction[pages][A][P];
    signal fractions[pages*A + 1];
    fractions[0] <== 0;
    for (var i = 0; i < pages; i++) {
        for (var a = 0; a < A; a++) {
            var row = 0;
            for (var j = 0; j < P; j++) {
                var class = 0;
                for (var b = 0; b < 12; b++) { class += classBits[i][a][j][b] * (1 << b); }
                fraction[i][a][j] <-- x[i][a][j] / (beta.out - class);
                fraction[i][a][j] * (beta.out - class) === x[i][a][j];
                row += fraction[i][a][j];
            }
            fractions[i*A + a + 1] <== fractions[i*A + a] * lambda.out + row;
        }
    }
    signal pole[K];
    var total = 0;
    for (var t = 0; t < K; t++) {
        if (t < STEP) {
            pole[t] <== 0;
        } else {
            pole[t] <-- weights[t] / (beta.out - t);
            pole[t] * (beta.out - t) === weights[t];
        }
        total += pole[t];
    }
    fractions[pages*A] === total;
}
