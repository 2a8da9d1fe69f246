// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// The row of the instrument table at which `hot` is 1; all 0 for instrument 0, the quote asset. NOTE: hot is one-hot.
// Fields: flags, mark, F, bounds 3, e, ewl, ews, m 4, iw 4. The flags are taken apart into three bits, fixed by their sum.
template Row(instruments) {
    signal input hot[instruments];
    signal input rows[instruments][17];
    signal output perpetual;
    signal output collateral;
    signal output limited;
    signal output mark;
    signal output funding;
    signal output bounds[3];
    signal output equity;
    signal output worstLong;
    signal output worstShort;
    signal output maintenance[4];
    signal output initial[4];

    signal part[instruments][17];
    var sum[17];
    for (var f = 0; f < 17; f++) {
        sum[f] = 0;
        part[0][f] <== 0;
        for (var k = 1; k < instruments; k++) {
            part[k][f] <== hot[k] * rows[k][f];
            sum[f] += part[k][f];
        }
    }
    perpetual <-- sum[0] & 1;
    collateral <-- (sum[0] >> 1) & 1;
    limited <-- (sum[0] >> 2) & 1;
    perpetual * (perpetual - 1) === 0;
    collateral * (collateral - 1) === 0;
    limited * (limited - 1) === 0;
    perpetual + 2*collateral + 4*limited === sum[0];

    mark <== sum[1];
    funding <== sum[2];
    equity <== sum[6];
    worstLong <== sum[7];
    worstShort <== sum[8];
    for (var t = 0; t < 3; t++) { bounds[t] <== sum[3 + t]; }
    for (var t = 0; t < 4; t++) {
        maintenance[t] <== sum[9 + t];
        initial[t] <== sum[13 + t];
    }
}
