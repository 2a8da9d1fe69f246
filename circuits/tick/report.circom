// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "lib/sponge.circom";
include "lib/eddsa.circom";

// Where present = 1: the oracle (ax, ay) signed these prices and funding rates for the whole table, for this domain, these parameters, exactly this
// slot and the one before. Fields are ranged, so that a signed element has one reading; values of absent oracles count nowhere.
// Widths: price 64, rate + 2^39 40; two instruments to an element: 208 bits.
template Report(instruments) {
    signal input present;
    signal input prices[instruments];
    signal input rates[instruments];      // offset binary
    signal input domain;
    signal input params;
    signal input slots;                   // slot + previous slot * 2^32
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;

    component priceBits[instruments];
    component rateBits[instruments];
    for (var k = 0; k < instruments; k++) {
        priceBits[k] = Num2Bits(64);
        priceBits[k].in <== prices[k];
        rateBits[k] = Num2Bits(40);
        rateBits[k].in <== rates[k];
    }
    component msg = Sponge(TAG_REPORT(), 3 + instruments / 2);
    msg.d[0] <== domain;
    msg.d[1] <== params;
    msg.d[2] <== slots;
    for (var i = 0; i < instruments / 2; i++) {
        msg.d[3 + i] <== prices[2*i] * (1 << REPORT_PAIR_PRICE_A()) + rates[2*i] * (1 << REPORT_PAIR_RATE_A())
            + prices[2*i + 1] * (1 << REPORT_PAIR_PRICE_B()) + rates[2*i + 1] * (1 << REPORT_PAIR_RATE_B());
    }
    component eddsa = EdDSAVerify();
    eddsa.enabled <== present;
    eddsa.ax <== ax;
    eddsa.ay <== ay;
    eddsa.r8x <== r8x;
    eddsa.r8y <== r8y;
    eddsa.s <== s;
    eddsa.msg <== msg.out;
}
