// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/header_path.circom";
include "lib/ledger.circom";
include "lib/merkle.circom";

// The path of a leaf to the pages root, before and after: two levels inside the page, the page's header, and up from there. The headers of
// page and block keep anchor and radius where keep = 1 and are cleared elsewhere, so that nothing stays covered by a claim that is
// not true of it any more.
template Path(blockLevels, topLevels) {
    var PL = PAGE_LEVELS();
    var levels = blockLevels + topLevels;
    signal input bits[PL + levels][3];          // leaf index in base 8, least digit first
    signal input children[PL + levels][8];
    signal input anchor[2];                     // of the page, of its block
    signal input radius[2];
    signal input keep;
    signal input before;
    signal input after;
    signal output rootBefore;
    signal output rootAfter;
    signal output index;

    signal keptAnchor[2];
    signal keptRadius[2];
    for (var i = 0; i < 2; i++) {
        keptAnchor[i] <== keep * anchor[i];
        keptRadius[i] <== keep * radius[i];
    }
    component page = Climb(PL);
    component above = HeaderPath(blockLevels, topLevels);
    for (var l = 0; l < PL; l++) {
        page.bits[l] <== bits[l];
        page.children[l] <== children[l];
    }
    for (var l = 0; l < levels; l++) {
        above.bits[l] <== bits[PL + l];
        above.children[l] <== children[PL + l];
    }
    page.before <== before;
    page.after <== after;
    above.before <== PageHeader()(page.rootBefore, anchor[0], radius[0]);
    above.after <== PageHeader()(page.rootAfter, keptAnchor[0], keptRadius[0]);
    above.anchor <== anchor[1];
    above.radius <== radius[1];
    above.newAnchor <== keptAnchor[1];
    above.newRadius <== keptRadius[1];
    rootBefore <== above.rootBefore;
    rootAfter <== above.rootAfter;
    index <== page.index + above.index * (1 << (3 * PL));
}
