// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/ledger.circom";
include "lib/merkle.circom";

// The path of a leaf to the pages root, before and after: two levels inside the page, the page header
// Poseidon4(tag page, page root, anchor, radius), then `levels` levels over headers. Anchor and radius are kept where keep = 1 and cleared
// elsewhere, so that no page stays covered by a claim that is not true of it any more.
template Path(levels) {
    var PL = PAGE_LEVELS();
    signal input bits[PL + levels][3];          // leaf index in base 8, least digit first
    signal input children[PL + levels][8];
    signal input anchor;
    signal input radius;
    signal input keep;
    signal input before;
    signal input after;
    signal output rootBefore;
    signal output rootAfter;
    signal output index;

    var sum = 0;
    for (var l = 0; l < PL + levels; l++) {
        for (var b = 0; b < 3; b++) {
            bits[l][b] * (bits[l][b] - 1) === 0;
            sum += bits[l][b] * (1 << (3*l + b));
        }
    }
    index <== sum;

    component level[PL + levels];
    component headerBefore = PageHeader();
    component headerAfter = PageHeader();
    signal kept[2];
    kept[0] <== keep * anchor;
    kept[1] <== keep * radius;
    for (var l = 0; l < PL + levels; l++) {
        level[l] = Level();
        for (var b = 0; b < 3; b++) { level[l].bits[b] <== bits[l][b]; }
        for (var i = 0; i < 8; i++) { level[l].children[i] <== children[l][i]; }
        if (l == 0) {
            level[l].before <== before;
            level[l].after <== after;
        } else {
            if (l == PL) {
                headerBefore.pageRoot <== level[l - 1].nodeBefore;
                headerBefore.anchor <== anchor;
                headerBefore.radius <== radius;
                headerAfter.pageRoot <== level[l - 1].nodeAfter;
                headerAfter.anchor <== kept[0];
                headerAfter.radius <== kept[1];
                level[l].before <== headerBefore.out;
                level[l].after <== headerAfter.out;
            } else {
                level[l].before <== level[l - 1].nodeBefore;
                level[l].after <== level[l - 1].nodeAfter;
            }
        }
    }
    rootBefore <== level[PL + levels - 1].nodeBefore;
    rootAfter <== level[PL + levels - 1].nodeAfter;
}
