// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "compconstant.circom";
include "bitify.circom";
include "comparators.circom";
include "escalarmulany.circom";
include "escalarmulfix.circom";
include "babyjub.circom";
include "lib/poseidon.circom";

// Where enabled = 1: (R8, S) is a signature of msg under A, as circomlib's EdDSAPoseidonVerifier has it, and A and R8 are on the
// curve. Where enabled = 0 nothing is claimed, and the hints of a null signature (A = B8, R8 = neutral, S = 0) satisfy it.
// Attacks: S + order (a second form of a signature): S is compared with the order; A of small order: 8A must not be neutral;
// h's other representative h + p: strict decomposition.
template EdDSAVerify() {
    signal input enabled;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input msg;

    component sBits = Num2Bits(253);
    sBits.in <== s;
    component tooLarge = CompConstant(2736030358979909402780800718157159386076813972158567259200215660948447373040);
    for (var i = 0; i < 253; i++) { tooLarge.in[i] <== sBits.out[i]; }
    tooLarge.in[253] <== 0;
    tooLarge.out * enabled === 0;

    component onCurve[2];
    onCurve[0] = CurveDefect();
    onCurve[0].x <== ax;
    onCurve[0].y <== ay;
    onCurve[1] = CurveDefect();
    onCurve[1].x <== r8x;
    onCurve[1].y <== r8y;
    enabled * onCurve[0].out === 0;
    enabled * onCurve[1].out === 0;

    component hash = PoseidonV(5);
    hash.inputs[0] <== r8x;
    hash.inputs[1] <== r8y;
    hash.inputs[2] <== ax;
    hash.inputs[3] <== ay;
    hash.inputs[4] <== msg;
    component h = Num2Bits_strict();
    h.in <== hash.out;

    component dbl[3];
    for (var i = 0; i < 3; i++) {
        dbl[i] = BabyDbl();
        if (i == 0) { dbl[i].x <== ax; dbl[i].y <== ay; } else { dbl[i].x <== dbl[i - 1].xout; dbl[i].y <== dbl[i - 1].yout; }
    }
    component neutral = IsZero();
    neutral.in <== dbl[2].xout;
    neutral.out * enabled === 0;

    component challenged = EscalarMulAny(254);
    for (var i = 0; i < 254; i++) { challenged.e[i] <== h.out[i]; }
    challenged.p[0] <== dbl[2].xout;
    challenged.p[1] <== dbl[2].yout;
    component right = BabyAdd();
    right.x1 <== r8x;
    right.y1 <== r8y;
    right.x2 <== challenged.out[0];
    right.y2 <== challenged.out[1];

    var BASE8[2] = [
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    ];
    component left = EscalarMulFix(253, BASE8);
    for (var i = 0; i < 253; i++) { left.e[i] <== sBits.out[i]; }
    enabled * (left.out[0] - right.xout) === 0;
    enabled * (left.out[1] - right.yout) === 0;
}

// out = a x^2 + y^2 - 1 - d x^2 y^2: 0 on Baby Jubjub.
template CurveDefect() {
    signal input x;
    signal input y;
    signal output out;
    signal x2;
    signal y2;
    signal xy;
    x2 <== x * x;
    y2 <== y * y;
    xy <== x2 * y2;
    out <== 168700 * x2 + y2 - 1 - 168696 * xy;
}
