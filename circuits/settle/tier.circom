// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "comparators.circom";

// The tier of a magnitude, and the unit charges of that tier. x has n bits (n >= 48: asserted by the caller's range check);
// bounds are below 2^48 and ascend (parameters, checked when they are set), so over[t] are nested and sums telescope.
template Tier(n) {
    signal input x;
    signal input bounds[3];
    signal input maintenance[4];
    signal input initial[4];
    signal output tier;
    signal output m;
    signal output i;

    component over[3];
    signal dm[3];
    signal di[3];
    var t = 0;
    var ms = maintenance[0];
    var is = initial[0];
    for (var k = 0; k < 3; k++) {
        over[k] = LessThan(n);
        over[k].in[0] <== bounds[k];
        over[k].in[1] <== x;
        t += over[k].out;
        dm[k] <== over[k].out * (maintenance[k + 1] - maintenance[k]);
        di[k] <== over[k].out * (initial[k + 1] - initial[k]);
        ms += dm[k];
        is += di[k];
    }
    tier <== t;
    m <== ms;
    i <== is;
}

// Unit charges of the tier given by two bits (of a stored class id).
template Charges() {
    signal input bits[2];
    signal input maintenance[4];
    signal input initial[4];
    signal output m;
    signal output i;
    signal both;
    both <== bits[0] * bits[1];
    signal part[6];
    part[0] <== bits[0] * (maintenance[1] - maintenance[0]);
    part[1] <== bits[1] * (maintenance[2] - maintenance[0]);
    part[2] <== both * (maintenance[3] - maintenance[2] - maintenance[1] + maintenance[0]);
    part[3] <== bits[0] * (initial[1] - initial[0]);
    part[4] <== bits[1] * (initial[2] - initial[0]);
    part[5] <== both * (initial[3] - initial[2] - initial[1] + initial[0]);
    m <== maintenance[0] + part[0] + part[1] + part[2];
    i <== initial[0] + part[3] + part[4] + part[5];
}
