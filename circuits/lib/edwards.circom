// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// Baby Jubjub in its twisted Edwards form a x^2 + y^2 = 1 + d x^2 y^2, a = 168700 (a square), d = 168696 (not a square): the addition
// law is complete, so that no denominator vanishes for two points of the curve. NOTE: both points are on the curve, the caller's.
template EdwardsAdd() {
    signal input p[2];
    signal input q[2];
    signal output out[2];
    signal crossed[2];
    crossed[0] <== p[0] * q[1];
    crossed[1] <== p[1] * q[0];
    signal mixed <== (p[1] - 168700 * p[0]) * (q[0] + q[1]);
    signal product <== crossed[0] * crossed[1];
    // Each coordinate is a hint, fixed by its product with a denominator that is not 0.
    out[0] <-- (crossed[0] + crossed[1]) / (1 + 168696 * product);
    out[0] * (1 + 168696 * product) === crossed[0] + crossed[1];
    out[1] <-- (mixed + 168700 * crossed[0] - crossed[1]) / (1 - 168696 * product);
    out[1] * (1 - 168696 * product) === mixed + 168700 * crossed[0] - crossed[1];
}

// The same of constants, at compile time: (x1, y1) + (x2, y2).
function edwardsSum(x1, y1, x2, y2) {
    var t = 168696 * x1 * x2 * y1 * y2;
    return [(x1 * y2 + y1 * x2) / (1 + t), (y1 * y2 - 168700 * x1 * x2) / (1 - t)];
}

// out = e * (x, y) for a constant point of the curve: windows of three bits, a table of eight constants each. n > 3.
template MulConstant(n, x, y) {
    signal input e[n];
    signal output out[2];
    var windows = (n + 2) \ 3;
    signal both[windows];
    signal entry[windows][2];
    component add[windows];
    var base[2] = [x, y];
    for (var w = 0; w < windows; w++) {
        var table[8][2];
        table[0] = [0, 1];
        for (var i = 1; i < 8; i++) { table[i] = edwardsSum(table[i - 1][0], table[i - 1][1], base[0], base[1]); }
        base = edwardsSum(table[7][0], table[7][1], base[0], base[1]);
        var b[3] = [e[3*w], 0, 0];
        if (3*w + 1 < n) { b[1] = e[3*w + 1]; }
        if (3*w + 2 < n) { b[2] = e[3*w + 2]; }
        both[w] <== b[0] * b[1];
        for (var c = 0; c < 2; c++) {
            // Multilinear in the bits: the lower half of the table, plus b2 times the difference of the halves.
            var half[2];
            for (var h = 0; h < 2; h++) {
                var t0 = table[4*h][c];
                var t1 = table[4*h + 1][c];
                var t2 = table[4*h + 2][c];
                var t3 = table[4*h + 3][c];
                half[h] = t0 + (t1 - t0) * b[0] + (t2 - t0) * b[1] + (t3 - t2 - t1 + t0) * both[w];
            }
            entry[w][c] <== half[0] + b[2] * (half[1] - half[0]);
        }
        if (w > 0) {
            add[w] = EdwardsAdd();
            add[w].q <== entry[w];
            if (w == 1) { add[w].p <== entry[0]; } else { add[w].p <== add[w - 1].out; }
        }
    }
    out <== add[windows - 1].out;
}
