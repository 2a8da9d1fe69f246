// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/base_mul.circom";
include "lib/challenge_mul.circom";
include "lib/curve.circom";
include "lib/poseidon.circom";

// Where enabled = 1: (R8, S) is a signature of msg under A, S B8 = R8 + h 8A with h = Poseidon(R8, A, msg), as circomlib's
// EdDSAPoseidonVerifier has it, and A and R8 are on the curve. Where enabled = 0 nothing is claimed, and any A, R8, S and msg satisfy it:
// B8, the neutral point and 0 stand for A, R8, S, so that all below holds of points of the curve only. NOTE: enabled is 0 or 1.
// Attacks: a point off the curve, where the sums mean nothing: OnCurve; S + order, a second form of a signature: BaseMul; A of small
// order, for which one signature fits many messages: ChallengeMul takes no neutral 8A; h + p in place of h: ChallengeMul. 8A is in the
// prime subgroup for each A.
template EdDSAVerify() {
    signal input enabled;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input msg;

    var BASE8[2] = [
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    ];
    signal keyX <== BASE8[0] + enabled * (ax - BASE8[0]);
    signal keyY <== BASE8[1] + enabled * (ay - BASE8[1]);
    signal nonceX <== enabled * r8x;
    signal nonceY <== 1 + enabled * (r8y - 1);
    signal scalar <== enabled * s;

    component keyOnCurve = OnCurve();
    keyOnCurve.x <== keyX;
    keyOnCurve.y <== keyY;
    component nonceOnCurve = OnCurve();
    nonceOnCurve.x <== nonceX;
    nonceOnCurve.y <== nonceY;

    component h = PoseidonV(5);
    h.inputs[0] <== nonceX;
    h.inputs[1] <== nonceY;
    h.inputs[2] <== keyX;
    h.inputs[3] <== keyY;
    h.inputs[4] <== msg;

    component double[3];
    for (var i = 0; i < 3; i++) {
        double[i] = EdwardsDouble();
        if (i == 0) {
            double[i].x <== keyX;
            double[i].y <== keyY;
        } else {
            double[i].x <== double[i - 1].xOut;
            double[i].y <== double[i - 1].yOut;
        }
    }
    component challenged = ChallengeMul();
    challenged.h <== h.out;
    challenged.x <== double[2].xOut;
    challenged.y <== double[2].yOut;
    component right = EdwardsAdd();
    right.x1 <== nonceX;
    right.y1 <== nonceY;
    right.x2 <== challenged.xOut;
    right.y2 <== challenged.yOut;

    component left = BaseMul();
    left.s <== scalar;
    enabled * (left.x - right.x) === 0;
    enabled * (left.y - right.y) === 0;
}
