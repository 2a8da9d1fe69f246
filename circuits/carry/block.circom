// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "coverage/headers.circom";
include "lib/ledger.circom";
include "lib/merkle.circom";

// One block of a carry: every page of it is healthy at the present tick, and its header becomes (newAnchor, newRadius) such that
//   every account of the block has at least the safe radius newRadius at the tick newAnchor.
// A page that is anchored at newAnchor has a radius no less than newRadius. A page may be anchored elsewhere only where newAnchor is the present
// tick; then with radius r, displacement d and ratio q of its own anchor: 2^16*newRadius <= q*(r - d). For at the present tick its accounts have
// 2^16*H >= (r - d)*G_then, the bound of SPEC section 8, and 2^16*G_then >= q*G.
// @output now: 1 where newAnchor is the present tick. Where it is 0 some page is anchored, so that whoever replays the words can tell
// which tick it is.
// Attacks: an older anchor that some page does not have, or a radius above one's (each page is compared), an anchor chosen for a block
// without pages (refused).
// Widths: radii 24 bits: the pages' when they were written, newRadius here; r - d 24 bits, q 17: a difference in 42 bits is not negative.
template CarriedBlock(blockLevels, topLevels, anchors) {
    var n = 1;
    for (var l = 0; l < blockLevels; l++) { n = n * 8; }
    signal input tick[1 + anchors];
    signal input displacement[anchors];
    signal input ratio[anchors];
    signal input pageRoot[n];
    signal input radius[n];
    signal input at[n][1 + anchors];
    signal input bits[topLevels][3];
    signal input children[topLevels][8];
    signal input anchor;                        // the block's header as it stands
    signal input lastRadius;
    signal input pick[1 + anchors];             // which tick newAnchor is
    signal input newRadius;
    signal output now;
    signal output index;
    signal output rootBefore;
    signal output rootAfter;

    component pages = Headers(blockLevels, anchors, TAG_PAGE(), EMPTY_PAGE());
    pages.tick <== tick;
    pages.displacement <== displacement;
    pages.under <== pageRoot;
    pages.radius <== radius;
    pages.at <== at;

    component radiusBits = Num2Bits(BITS_RADIUS());
    radiusBits.in <== newRadius;
    signal picked[1 + anchors];
    var one = 0;
    var newAnchor = 0;
    for (var a = 0; a <= anchors; a++) {
        pick[a] * (pick[a] - 1) === 0;
        picked[a] <== pick[a] * tick[a];
        one += pick[a];
        newAnchor += picked[a];
    }
    one === 1;
    now <== pick[0];

    component spare[n];
    signal same[n][1 + anchors];
    signal ratioPart[n][anchors];
    signal moved[n];
    signal excess[n];
    signal movedExcess[n];
    var held = 0;
    for (var i = 0; i < n; i++) {
        var there = 0;                          // anchored at newAnchor
        for (var a = 0; a <= anchors; a++) {
            same[i][a] <== at[i][a] * pick[a];
            there += same[i][a];
        }
        var elsewhere = pages.anchored[i] - there;
        elsewhere * (1 - now) === 0;
        var q = 0;
        for (var a = 1; a <= anchors; a++) {
            ratioPart[i][a - 1] <== at[i][a] * ratio[a - 1];
            q += ratioPart[i][a - 1];
        }
        moved[i] <== q * pages.spare[i];
        excess[i] <== there * (radius[i] - newRadius);
        movedExcess[i] <== elsewhere * (moved[i] - newRadius * (1 << SCALE_RADIUS_BITS()));
        spare[i] = Num2Bits(42);
        spare[i].in <== excess[i] * (1 << SCALE_RADIUS_BITS()) + movedExcess[i];
        held += pages.anchored[i];
    }
    signal bare <== IsZero()(held);
    bare * (1 - now) === 0;

    component climb = Climb(topLevels);
    climb.bits <== bits;
    climb.children <== children;
    climb.before <== BlockHeader()(pages.root, anchor, lastRadius);
    climb.after <== BlockHeader()(pages.root, newAnchor, newRadius);
    index <== climb.index;
    rootBefore <== climb.rootBefore;
    rootAfter <== climb.rootAfter;
}
