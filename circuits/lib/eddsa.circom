// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "comparators.circom";
include "escalarmulany.circom";
include "lib/canonical.circom";
include "lib/edwards.circom";
include "lib/poseidon.circom";

// Where enabled = 1: (R8, S) is a signature of msg under A, as circomlib's EdDSAPoseidonVerifier has it, and A and R8 are on the
// curve: S*B8 = R8 + h*8A, h = Poseidon(R8, A, msg). Where enabled = 0 nothing is claimed, and a null signature (A = B8, R8 neutral, S = 0)
// satisfies it. Attacks: S + order (a second form of a signature): S is compared with the order; A of small order: 8A must not be
// neutral; h's other representative h + p: h is compared with p; points off the curve, for which the addition law isn't complete.
// B8 is circomlib's generator of the subgroup of prime order.
template EdDSAVerify() {
    signal input enabled;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input msg;

    component sBits = BitsUpTo(251, 2736030358979909402780800718157159386076813972158567259200215660948447373040);
    sBits.in <== s;
    signal defect[2];
    defect[0] <== CurveDefect()(ax, ay);
    defect[1] <== CurveDefect()(r8x, r8y);
    enabled * defect[0] === 0;
    enabled * defect[1] === 0;

    component hash = PoseidonV(5);
    hash.inputs <== [r8x, r8y, ax, ay, msg];
    component h = BitsUpTo(254, -1);
    h.in <== hash.out;

    component doubled[3];
    for (var i = 0; i < 3; i++) {
        doubled[i] = EdwardsAdd();
        if (i == 0) { doubled[i].p <== [ax, ay]; } else { doubled[i].p <== doubled[i - 1].out; }
        if (i == 0) { doubled[i].q <== [ax, ay]; } else { doubled[i].q <== doubled[i - 1].out; }
    }
    signal neutral <== IsZero()(doubled[2].out[0]);
    enabled * neutral === 0;

    component challenged = EscalarMulAny(254);
    challenged.e <== h.out;
    challenged.p <== doubled[2].out;
    component right = EdwardsAdd();
    right.p <== [r8x, r8y];
    right.q <== challenged.out;
    component left = MulConstant(
        251,
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    );
    left.e <== sBits.out;
    enabled * (left.out[0] - right.out[0]) === 0;
    enabled * (left.out[1] - right.out[1]) === 0;
}

// out = a x^2 + y^2 - 1 - d x^2 y^2: 0 on Baby Jubjub.
template CurveDefect() {
    signal input x;
    signal input y;
    signal output out;
    signal x2 <== x * x;
    signal y2 <== y * y;
    signal xy <== x2 * y2;
    out <== 168700 * x2 + y2 - 1 - 168696 * xy;
}
