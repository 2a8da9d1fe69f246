// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "part.circom";

// Knows `root` with root^2 = total, and factors whose products sum to `total`; `inverse` is a hint.
template Example(n) {
    signal input total;
    signal input label;
    signal input root;
    signal input factors[n][2];
    signal output quarter;

    component square = Square();
    square.in <== root;
    square.out === total;

    signal products[n];
    var sum = 0;
    for (var i = 0; i < n; i++) {
        products[i] <== factors[i][0] * factors[i][1];
        sum += products[i];
    }
    sum === total;

    signal inverse <-- 1 / root;
    inverse * root === 1;

    signal bound <== label * root;
    quarter <== total + bound;
}
