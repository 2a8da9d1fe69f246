// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "carry/block.circom";
include "carry/ratio.circom";
include "coverage/anchors.circom";
include "lib/ledger.circom";
include "lib/posted.circom";

// carry: every account of the posted blocks is healthy at the posted tick, and the blocks' headers say so: (anchor, radius) carried up from the
// headers of their pages, which moves root S to S'. While prices stay within a block's radius, coverage reads its header alone.
// Every page of the blocks is empty, or anchored at an opened tick with a radius that is at least what has moved since (SPEC section 8).
// A block may stand here twice.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, S' and a word a block (its number, radius, and whether its anchor is the
// present tick). The contract writes the domain, S and the tick.
template Carry(blocks, blockLevels, topLevels, instruments, anchors) {
    var n = 1;
    for (var l = 0; l < blockLevels; l++) { n = n * 8; }
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];
    signal input newRootHalves[2];

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
    signal input ratio[anchors];

    // The ledger before
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;

    // Blocks
    signal input blockBits[blocks][topLevels][3];
    signal input children[blocks][topLevels][8];
    signal input anchor[blocks];
    signal input lastRadius[blocks];
    signal input pageRoot[blocks][n];
    signal input radius[blocks][n];
    signal input at[blocks][n][1 + anchors];    // the tick a page is anchored at; none for an empty one
    signal input pick[blocks][1 + anchors];
    signal input newRadius[blocks];

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

    signal root <== LedgerRoot()(pagesRoot, reserve, nextId, consumed);
    rootHalves[0] * (1 << 128) + rootHalves[1] === root;

    component ratios[anchors];
    for (var a = 0; a < anchors; a++) {
        ratios[a] = MoveRatio(instruments);
        ratios[a].ratio <== ratio[a];
        ratios[a].then <== moves[1 + a];
        ratios[a].now <== moves[0];
    }

    component block[blocks];
    for (var i = 0; i < blocks; i++) {
        block[i] = CarriedBlock(blockLevels, topLevels, anchors);
        block[i].tick <== opened.tick;
        block[i].displacement <== displacement;
        block[i].ratio <== ratio;
        block[i].pageRoot <== pageRoot[i];
        block[i].radius <== radius[i];
        block[i].at <== at[i];
        block[i].bits <== blockBits[i];
        block[i].children <== children[i];
        block[i].anchor <== anchor[i];
        block[i].lastRadius <== lastRadius[i];
        block[i].pick <== pick[i];
        block[i].newRadius <== newRadius[i];
        if (i == 0) { block[i].rootBefore === pagesRoot; } else { block[i].rootBefore === block[i - 1].rootAfter; }
    }

    signal newRoot <== LedgerRoot()(block[blocks - 1].rootAfter, reserve, nextId, consumed);
    newRootHalves[0] * (1 << 128) + newRootHalves[1] === newRoot;

    var F = CARRY_FIXED_WORDS();
    component posted = Posted(F + blocks);
    posted.words[WORD_CARRY_HEADER()] <== F + blocks + CIRCUIT_CARRY() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_CARRY_DOMAIN()] <== domain;
    posted.words[WORD_CARRY_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_CARRY_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_CARRY_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_CARRY_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_CARRY_NEW_ROOT_HI()] <== newRootHalves[0];
    posted.words[WORD_CARRY_NEW_ROOT_LO()] <== newRootHalves[1];
    for (var i = 0; i < blocks; i++) {
        posted.words[F + i] <== block[i].index * (1 << BLOCK_INDEX()) + newRadius[i] * (1 << BLOCK_RADIUS()) + block[i].now * (1 << BLOCK_NOW());
    }
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
