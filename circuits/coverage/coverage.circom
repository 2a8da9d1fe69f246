// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "coverage/anchors.circom";
include "coverage/headers.circom";
include "lib/ledger.circom";
include "lib/posted.circom";

// coverage: at the posted tick every account of S has health H >= 0; and `solvent` is 1 exactly where S's reserve is not below 0.
// Every block of S is empty, or its header is anchored at an opened tick with a radius that is at least what prices, funding and charges
// have moved since (SPEC section 8). A block's header was written by a carry, or kept by a touch that showed the radius of its page.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, the head (solvent). The contract writes all but the last.
//
// Attacks: a block missing or counted twice (all of them are the leaves of the tree, in their order); an anchor with convenient tables (its
// tables are opened from the hash in the header, which only a carry writes); a displacement too small (it is checked for every class);
// a block said to be empty (its header is the constant); a deficit said to be none (the sign of the reserve is computed).
// Widths: the reserve was ranged to -2^120 .. 2^120 - 1 by the settle that wrote it.
template Coverage(topLevels, blockLevels, instruments, anchors) {
    var blocks = 1;
    for (var l = 0; l < topLevels; l++) { blocks = blocks * 8; }
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];

    // The present tick [0] and older anchors [1 ..]
    signal input clock[1 + anchors];
    signal input risk[1 + anchors];
    signal input initial[1 + anchors];
    signal input trading[1 + anchors];
    signal input equity[1 + anchors][instruments];
    signal input maintenance[1 + anchors][instruments][4];
    signal input moves[1 + anchors][instruments];
    signal input displacement[anchors];
    signal input rise[anchors][instruments];

    // The ledger
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;
    signal input blockRoot[blocks];
    signal input radius[blocks];
    signal input at[blocks][1 + anchors];       // the tick a block is anchored at; none for an empty one

    component opened = Anchors(anchors, instruments);
    opened.clock <== clock;
    opened.risk <== risk;
    opened.initial <== initial;
    opened.trading <== trading;
    opened.equity <== equity;
    opened.maintenance <== maintenance;
    opened.moves <== moves;
    opened.displacement <== displacement;
    opened.rise <== rise;
    tickHalves[0] * (1 << 128) + tickHalves[1] === opened.tick[0];

    component headers = Headers(topLevels, anchors, TAG_BLOCK(), emptyBlock(blockLevels));
    headers.tick <== opened.tick;
    headers.displacement <== displacement;
    headers.under <== blockRoot;
    headers.radius <== radius;
    headers.at <== at;
    pagesRoot === headers.root;
    signal ledger <== LedgerRoot()(pagesRoot, reserve, nextId, consumed);
    rootHalves[0] * (1 << 128) + rootHalves[1] === ledger;

    component solvent = Num2Bits(BITS_BALANCE() + 1);     // its top bit
    solvent.in <== reserve + (1 << BITS_BALANCE());

    component posted = Posted(COVERAGE_FIXED_WORDS());
    posted.words[WORD_COVERAGE_HEADER()] <== COVERAGE_FIXED_WORDS() + CIRCUIT_COVERAGE() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_COVERAGE_DOMAIN()] <== domain;
    posted.words[WORD_COVERAGE_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_COVERAGE_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_COVERAGE_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_COVERAGE_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_COVERAGE_COVER_HEAD()] <== solvent.out[BITS_BALANCE()] * (1 << COVER_HEAD_SOLVENT());
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
