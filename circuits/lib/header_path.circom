// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/ledger.circom";
include "lib/merkle.circom";

// A page's header replaced: `blockLevels` levels to its block's root, the block's header, `topLevels` levels to the pages root.
// The block's header becomes (newAnchor, newRadius): what it had, or cleared; which of the two is the caller's to justify.
template HeaderPath(blockLevels, topLevels) {
    var levels = blockLevels + topLevels;
    signal input bits[levels][3];               // page number in base 8, least digit first
    signal input children[levels][8];
    signal input anchor;                        // of the block
    signal input radius;
    signal input newAnchor;
    signal input newRadius;
    signal input before;
    signal input after;
    signal output rootBefore;
    signal output rootAfter;
    signal output index;

    component inside = Climb(blockLevels);
    component top = Climb(topLevels);
    for (var l = 0; l < blockLevels; l++) {
        inside.bits[l] <== bits[l];
        inside.children[l] <== children[l];
    }
    for (var l = 0; l < topLevels; l++) {
        top.bits[l] <== bits[blockLevels + l];
        top.children[l] <== children[blockLevels + l];
    }
    inside.before <== before;
    inside.after <== after;
    top.before <== BlockHeader()(inside.rootBefore, anchor, radius);
    top.after <== BlockHeader()(inside.rootAfter, newAnchor, newRadius);
    rootBefore <== top.rootBefore;
    rootAfter <== top.rootAfter;
    index <== inside.index + top.index * (1 << (3 * blockLevels));
}
