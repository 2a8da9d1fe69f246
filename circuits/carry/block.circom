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
// Either all pages that are not empty are anchored at newAnchor, with a radius no less than newRadius; or newAnchor is the present tick,
// pages anchored elsewhere are within their radius of it, and newRadius is 0.
// @output now: 1 where newAnchor is the present tick. Where it is 0 some page is anchored, so that whoever replays the words can tell
// which tick it is.
// Attacks: an older anchor that some page does not have, or a radius above one's (each page is compared), an anchor chosen for a block
// without pages (refused).
// Widths: radii 24 bits: the pages' when they were written, newRadius here.
template CarriedBlock(blockLevels, topLevels, anchors) {
    var n = 1;
    for (var l = 0; l < blockLevels; l++) { n = n * 8; }
    signal input tick[1 + anchors];
    signal input displacement[anchors];
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
    signal excess[n];
    var held = 0;
    for (var i = 0; i < n; i++) {
        var there = 0;                          // anchored at newAnchor
        for (var a = 0; a <= anchors; a++) {
            same[i][a] <== at[i][a] * pick[a];
            there += same[i][a];
        }
        var elsewhere = pages.anchored[i] - there;
        elsewhere * (1 - now) === 0;
        elsewhere * newRadius === 0;
        excess[i] <== there * (radius[i] - newRadius);
        spare[i] = Num2Bits(BITS_RADIUS());
        spare[i].in <== excess[i];
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
