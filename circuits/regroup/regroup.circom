// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/header_path.circom";
include "lib/ledger.circom";
include "lib/posted.circom";
include "regroup/permutation.circom";
include "sweep/page.circom";

// regroup: the leaves of the posted pages are written back in another order: leaf i of them, counted through, holds what stood at origin[i]; nothing
// else of S changes. The pages' headers are cleared; or, where all had one anchor, keep it with a radius that none of them was below.
// Their blocks' headers are cleared.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, S', the head (radius, keep) and five words a page (its number, its leaves'
// origins). The contract writes the domain, S and the tick, which plays no part.
//
// Attacks: an account lost, doubled or made (the permutation check); another order than posted (origins are part of it); a page that stands here
// twice (numbers ascend); a header that promises more than before (anchors are equal, the radius is not above any page's; else cleared).
// Widths: page numbers 3 bits a level, radii 24 bits: old ones were ranged when written.
template Regroup(pages, blockLevels, topLevels) {
    var levels = blockLevels + topLevels;
    var A = 1;
    for (var l = 0; l < PAGE_LEVELS(); l++) { A = A * ARITY(); }
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];
    signal input newRootHalves[2];

    // The ledger before
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;

    // Pages
    signal input pageBits[pages][levels][3];
    signal input children[pages][levels][8];
    signal input anchor[pages];
    signal input lastRadius[pages];
    signal input blockAnchor[pages];
    signal input blockRadius[pages];
    signal input leaf[pages][A];                    // hashes
    signal input newLeaf[pages][A];
    signal input originBits[pages][A][12];
    signal input keep;
    signal input radius;

    signal root <== LedgerRoot()(pagesRoot, reserve, nextId, consumed);
    rootHalves[0] * (1 << 128) + rootHalves[1] === root;

    // The radius kept: 0 with cleared headers, else no page's is below it.
    keep * (keep - 1) === 0;
    component radiusBits = Num2Bits(BITS_RADIUS());
    radiusBits.in <== radius;
    (1 - keep) * radius === 0;
    signal spare[pages];
    component spareBits[pages];
    for (var i = 0; i < pages; i++) {
        if (i > 0) { keep * (anchor[i] - anchor[0]) === 0; }
        spare[i] <== keep * (lastRadius[i] - radius);
        spareBits[i] = Num2Bits(BITS_RADIUS());
        spareBits[i].in <== spare[i];
    }
    signal kept <== keep * anchor[0];
    signal loose <== IsZero()(anchor[0]);
    keep * loose === 0;                             // there is an anchor to keep

    component before[pages];
    component after[pages];
    component place[pages];
    component later[pages];
    component moved = Permutation(pages, A);
    for (var i = 0; i < pages; i++) {
        before[i] = PageTree(A);
        before[i].leaves <== leaf[i];
        after[i] = PageTree(A);
        after[i].leaves <== newLeaf[i];
        place[i] = HeaderPath(blockLevels, topLevels);
        place[i].bits <== pageBits[i];
        place[i].children <== children[i];
        place[i].before <== PageHeader()(before[i].root, anchor[i], lastRadius[i]);
        place[i].anchor <== blockAnchor[i];
        place[i].radius <== blockRadius[i];
        place[i].newAnchor <== 0;
        place[i].newRadius <== 0;
        place[i].after <== PageHeader()(after[i].root, kept, radius);
        if (i == 0) {
            place[i].rootBefore === pagesRoot;
        } else {
            place[i].rootBefore === place[i - 1].rootAfter;
            later[i] = Num2Bits(3 * levels);
            later[i].in <== place[i].index - place[i - 1].index - 1;
        }
        moved.root[i] <== before[i].root;
        moved.newRoot[i] <== after[i].root;
        moved.leaf[i] <== leaf[i];
        moved.newLeaf[i] <== newLeaf[i];
        moved.originBits[i] <== originBits[i];
    }

    signal newRoot <== LedgerRoot()(place[pages - 1].rootAfter, reserve, nextId, consumed);
    newRootHalves[0] * (1 << 128) + newRootHalves[1] === newRoot;

    var F = REGROUP_FIXED_WORDS();
    var E = REGROUP_REPEATED_WORDS();
    component posted = Posted(F + E * pages);
    posted.words[WORD_REGROUP_HEADER()] <== F + E * pages + CIRCUIT_REGROUP() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_REGROUP_DOMAIN()] <== domain;
    posted.words[WORD_REGROUP_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_REGROUP_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_REGROUP_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_REGROUP_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_REGROUP_NEW_ROOT_HI()] <== newRootHalves[0];
    posted.words[WORD_REGROUP_NEW_ROOT_LO()] <== newRootHalves[1];
    posted.words[WORD_REGROUP_REGROUP_HEAD()] <== radius * (1 << REGROUP_HEAD_RADIUS()) + keep * (1 << REGROUP_HEAD_KEEP());
    for (var i = 0; i < pages; i++) {
        posted.words[F + E*i] <== place[i].index;
        for (var w = 0; w < E - 1; w++) { posted.words[F + E*i + 1 + w] <== moved.words[i][w]; }
    }
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
