// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// The n bits of in, as an integer <= max (a constant below 2^n). The attack: in + p where n bits leave room for it; stopped by the
// comparison with max. From the top, `run` is 1 while all bits equal those of max: there a bit above a 0 of max is forbidden.
// Costs n + 1 constraints and one for each 1 of max. NOTE: max < p.
template BitsUpTo(n, max) {
    signal input in;
    signal output out[n];
    var sum = 0;
    var run = 1;
    signal runs[n];
    for (var i = n - 1; i >= 0; i--) {
        out[i] <-- (in >> i) & 1;               // fixed by being 0 or 1 and by the sum, which is below p
        if ((max >> i) & 1) {
            out[i] * (out[i] - 1) === 0;
            runs[i] <== run * out[i];
            run = runs[i];
        } else {
            out[i] * (1 - run - out[i]) === 0;  // run = 0: 0 or 1; run = 1: 0
            runs[i] <== 0;
        }
        sum += out[i] * (1 << i);
    }
    sum === in;
}
