// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";

// d is at least the displacement of `then` at `now`: for every class that an account could hold then, with unit value v = +-e - m,
//   d * w >= 2^16 * (v_then - v_now),   w the move at `then`.
// `rise` is at least how much each tier's maintenance charge has grown, so that a side has one comparison for all its tiers.
// Shorts are left out where the charge of the lowest tier was 0 then: that is a collateral, or unpriced, and sweeps prove that nobody is short of it.
// A charge that was there does not vanish: where m_0 was above 0 it still is, so that what is anchored anew at the present tick (a carry) holds no
// short that later displacements leave out.
// The attack: a displacement below the true one. Any d and rise that pass are at or above it; larger ones only cost radius.
// Widths: d 24 bits, w <= 2^64, e 2^65, m <= 2^64: rise - growth in 67 bits, so |rise| < 2^68; sides below 2^16*(2^66 + 2^68) + 2^88 < 2^89.
template Displacement(instruments) {
    signal input d;
    signal input rise[instruments];
    signal input moves[instruments];
    signal input equityThen[instruments];
    signal input equityNow[instruments];
    signal input maintenanceThen[instruments][4];
    signal input maintenanceNow[instruments][4];
    var S = SCALE_RADIUS_BITS();

    component dBits = Num2Bits(BITS_RADIUS());
    dBits.in <== d;
    component growth[instruments][4];
    component long[instruments];
    component short[instruments];
    signal allowed[instruments];
    signal unmargined[instruments];
    signal vanished[instruments];
    signal lost[instruments];
    for (var k = 0; k < instruments; k++) {
        for (var t = 0; t < 4; t++) {
            growth[k][t] = Num2Bits(67);
            growth[k][t].in <== rise[k] - maintenanceNow[k][t] + maintenanceThen[k][t];
        }
        allowed[k] <== d * moves[k];
        long[k] = Num2Bits(89);
        long[k].in <== allowed[k] - (equityThen[k] - equityNow[k] + rise[k]) * (1 << S);
        unmargined[k] <== IsZero()(maintenanceThen[k][0]);
        vanished[k] <== IsZero()(maintenanceNow[k][0]);
        (1 - unmargined[k]) * vanished[k] === 0;
        lost[k] <== (1 - unmargined[k]) * (equityNow[k] - equityThen[k] + rise[k]);
        short[k] = Num2Bits(89);
        short[k].in <== allowed[k] - lost[k] * (1 << S);
    }
}
