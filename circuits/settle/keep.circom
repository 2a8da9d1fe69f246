// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "settle/tier.circom";

// Where keep = 1: the account as it is written has, by the tables of the tick that its page is anchored at, the safe radius of the page:
//   2^16*H >= radius*G, H = B' + sum x*(+-e - m), G = sum x*w at the anchor, classes as stored.
// So what the page's header says stays true, and the page need not be swept. H and G of the opened account are claims of the sparse table check;
// one slot and the balance change by what the touch does. Shorts of an instrument without maintenance charge at the anchor (it was a collateral,
// or unpriced) keep no page: displacements leave that class out, as sweeps forbid it.
// NOTE: that the anchor is the page's, and no other, is the caller's. hot is one-hot; moves is 0 or 1, and moved, x', x are those of the position.
// Widths: e, funding 2^65, m, w 2^64, x 2^48: H < 2^121, G < 2^116, so 2^16*H - radius*G is in 137 bits if it is not negative, and as an integer above -2^141.
template Keep(instruments) {
    signal input keep;
    signal input radius;
    signal input hot[instruments];
    // The anchor's tables
    signal input equity[instruments];
    signal input maintenance[instruments][4];
    signal input move[instruments];
    // What the touch does
    signal input moves;
    signal input moved;             // s' - s
    signal input x;
    signal input tier[2];
    signal input newX;
    signal input newSide;
    signal input over[3];           // of x'
    signal input newBalance;
    signal input claim[2];          // of the opened account at the anchor: H - B, G

    signal part[instruments][6];
    var row[6];
    for (var f = 0; f < 6; f++) {
        row[f] = 0;
        part[0][f] <== 0;
        for (var k = 1; k < instruments; k++) {
            if (f == 0) { part[k][f] <== hot[k] * equity[k]; }
            else if (f == 5) { part[k][f] <== hot[k] * move[k]; }
            else { part[k][f] <== hot[k] * maintenance[k][f - 1]; }
            row[f] += part[k][f];
        }
    }
    signal e <== row[0];
    signal m[4];
    for (var t = 0; t < 4; t++) { m[t] <== row[1 + t]; }
    signal w <== row[5];

    signal both <== tier[0] * tier[1];
    signal before <== StoredCharge()(x, tier, both, m);
    signal after <== Charge()(newX, over, m);
    signal charged <== moves * (after - before);
    signal earned <== moved * e;                    // 0 where nothing moves
    signal grown <== moves * (newX - x);
    signal exposed <== grown * w;
    signal spread <== radius * (claim[1] + exposed);
    signal spare <== keep * ((newBalance + claim[0] + earned - charged) * (1 << SCALE_RADIUS_BITS()) - spread);
    component range = Num2Bits(137);
    range.in <== spare;

    signal unmargined <== IsZero()(m[0]);
    signal short <== newSide * unmargined;
    keep * short === 0;
}
