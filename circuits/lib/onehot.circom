// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;


// hot[i] = 1 for i = index and 0 elsewhere. The hints are fixed by: each is 0 or 1, their sum is 1, sum i*hot[i] = index.
// Unsatisfiable for an index outside 0 .. n-1.
template OneHot(n) {
    signal input index;
    signal output hot[n];
    var sum = 0;
    var weighted = 0;
    for (var i = 0; i < n; i++) {
        hot[i] <-- index == i ? 1 : 0;      // fixed by the three lines below
        hot[i] * (hot[i] - 1) === 0;
        sum += hot[i];
        weighted += i * hot[i];
    }
    sum === 1;
    weighted === index;
}
