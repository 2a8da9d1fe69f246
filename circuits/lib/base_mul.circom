// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/atmost.circom";
include "lib/curve.circom";

// Row w: 4^w H and 3 * 4^w H in Montgomery form (u, v, u, v), where H = B8/2, the half of the subgroup's generator. The witness generator
// runs this too, so that it inverts once: points are (X/Z, Y/Z) on the Edwards curve, v = u/x = (Z + Y) Z / ((Z - Y) X), and all those
// (Z - Y) X are inverted through their product.
function HALF_BASE_ROWS(rows) {
    var X = 9948139313319326567538585976434296874021944789429458993825623013113438161408;
    var Y = 5754705828006165357341407866267251848778924039034508968461663781341611574458;
    var Z = 1;
    var point[252][3];
    var product[253];
    product[0] = 1;
    for (var i = 0; i < 2 * rows; i++) {
        // Even i: (X : Y : Z) itself, then twice it; odd i: their sum, then four times.
        var X1 = X;
        var Y1 = Y;
        var Z1 = Z;
        if (i % 2 == 1) {
            var x0 = point[i - 1][0];
            var y0 = point[i - 1][1];
            var z0 = point[i - 1][2];
            var zz = z0 * Z;
            var C = x0 * X;
            var F = CURVE_D() * C * y0 * Y;
            X1 = zz * (zz * zz - F) * (x0 * Y + y0 * X);
            Y1 = zz * (zz * zz + F) * (y0 * Y - CURVE_A() * C);
            Z1 = (zz * zz - F) * (zz * zz + F);
        }
        point[i][0] = X1;
        point[i][1] = Y1;
        point[i][2] = Z1;
        product[i + 1] = product[i] * (Z1 - Y1) * X1;
        var sum = CURVE_A() * X * X + Y * Y;
        var rest = 2 * Z * Z - sum;
        var difference = Y * Y - CURVE_A() * X * X;
        X = 2 * X * Y * rest;
        Y = difference * sum;
        Z = sum * rest;
    }
    var row[126][4];
    var inverse = 1 / product[2 * rows];
    for (var i = 2 * rows - 1; i >= 0; i--) {
        var X1 = point[i][0];
        var Y1 = point[i][1];
        var Z1 = point[i][2];
        var scale = inverse * product[i] * (Z1 + Y1);
        row[i \ 2][2 * (i % 2)] = scale * X1;
        row[i \ 2][2 * (i % 2) + 1] = scale * Z1;
        inverse = inverse * (Z1 - Y1) * X1;
    }
    return row;
}

// (u1, v1) - (u2, v2), Montgomery points with different u, in Edwards form.
function EDWARDS_DIFFERENCE(u1, v1, u2, v2) {
    var slope = (0 - v2 - v1) / (u2 - u1);
    var u = slope * slope - MONTGOMERY_A() - u1 - u2;
    var v = slope * (u1 - u) - v1;
    var out[2];
    out[0] = u / v;
    out[1] = (u - 1) / (u + 1);
    return out;
}

// (x, y) = s * B8, and s < ORDER: S + ORDER would be a second form of a signature, so S's bits are compared with the order.
// s in 251 signed digits: 2s = sum of e_i 2^i + 2^251 - 1, e_i = 1 or -1; so s B8 = sum of e_i 2^i H + (2^251 - 1) H.
// Digits 0 .. 249 go in pairs: the odd digit e_2w + 2 e_2w+1 times 4^w H has u a function of e_2w e_2w+1 alone and v linear in the two.
// NOTE on Montgomery sums: before window w the sum is a H with a odd and |a| < 4^w; the addend is b H with 4^w <= |b| <= 3 * 4^w. So
// 0 < |a + b|, |a - b| < 4^(w+1) <= 2^250 < ORDER: never are the two u equal, whatever s is. The last sum, with e_250 (2^250 H) + (2^251 - 1)
// H, has no such bound and is made in Edwards form.
template BaseMul() {
    var DIGITS = 251;
    var WINDOWS = 125;
    signal input s;
    signal output x;
    signal output y;
    var row[126][4] = HALF_BASE_ROWS(WINDOWS + 1);

    signal e[DIGITS];
    var value = (1 << DIGITS) - 1;
    for (var i = 0; i < DIGITS; i++) {
        e[i] <-- 2 * ((s >> i) & 1) - 1;        // one of two by the next line, fixed by the sum below and s < ORDER
        e[i] * e[i] === 1;
        value += e[i] * (1 << i);
    }
    value === 2 * s;
    component below = AtMost(DIGITS, ORDER() - 1, 0);
    below.unit <== 1;
    below.slack <== 0;
    for (var i = 0; i < DIGITS; i++) { below.digit[i] <== e[i]; }

    signal same[WINDOWS];
    signal slope[WINDOWS];
    signal sumU[WINDOWS];
    signal sumV[WINDOWS];
    var lastU;
    var lastV;
    for (var w = 0; w < WINDOWS; w++) {
        same[w] <== e[2*w] * e[2*w + 1];        // 1: digit 3 or -3; -1: digit 1 or -1
        var u = ((row[w][2] + row[w][0]) + (row[w][2] - row[w][0]) * same[w]) / 2;
        var v = ((row[w][3] - row[w][1]) * e[2*w] + (row[w][3] + row[w][1]) * e[2*w + 1]) / 2;
        if (w == 0) {
            slope[w] <== 0;
            sumU[w] <== 0;
            sumV[w] <== 0;
            lastU = u;
            lastV = v;
        } else {
            slope[w] <-- (v - lastV) / (u - lastU);
            slope[w] * (u - lastU) === v - lastV;
            sumU[w] <== slope[w] * slope[w] - MONTGOMERY_A() - u - lastU;
            sumV[w] <== slope[w] * (lastU - sumU[w]) - lastV;
            lastU = sumU[w];
            lastV = sumV[w];
        }
    }
    component low = ToEdwards();
    low.u <== sumU[WINDOWS - 1];
    low.v <== sumV[WINDOWS - 1];

    var H[2] = [row[0][0], row[0][1]];
    var minus[2] = EDWARDS_DIFFERENCE(row[WINDOWS][0], row[WINDOWS][1], H[0], H[1]);    // (2^250 - 1) H
    var plus[2] = EDWARDS_DIFFERENCE(row[WINDOWS][2], row[WINDOWS][3], H[0], H[1]);     // (2^250 + 2^251 - 1) H
    component all = EdwardsAdd();
    all.x1 <== low.x;
    all.y1 <== low.y;
    all.x2 <== ((plus[0] + minus[0]) + (plus[0] - minus[0]) * e[DIGITS - 1]) / 2;
    all.y2 <== ((plus[1] + minus[1]) + (plus[1] - minus[1]) * e[DIGITS - 1]) / 2;
    x <== all.x;
    y <== all.y;
}
