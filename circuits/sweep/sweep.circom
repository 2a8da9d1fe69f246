// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "lib/header_path.circom";
include "lib/ledger.circom";
include "lib/posted.circom";
include "lib/tick.circom";
include "sweep/check.circom";
include "sweep/page.circom";

// sweep: at the posted tick every account of the posted pages has health H >= 0 and a safe radius of at least `radius`:
//   2^16*H >= radius*G, G = sum over its holdings of magnitude * move.
// So it stays healthy for as long as no class's unit value has lost more than radius * move / 2^16 (SPEC section 8). The header of each page
// gets (anchor, radius) = (this tick, radius), its block's is cleared, and that moves root S to S'. A page may stand here twice.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, S', the radius and a word a page. The contract writes the domain, S
// and the tick.
//
// Attacks: an account left out or swapped for a copy (every leaf of the page root is opened); hidden by a wrong class id (ids are
// bound by the bits of `slots`) or a wrapped balance (balances are ranged when written); a radius too large or negative (24 bits;
// 2^16*H - radius*G is ranged, and both are what the table says); an old tick's table (the tick is the contract's).
template Sweep(pages, instruments, blockLevels, topLevels) {
    var levels = blockLevels + topLevels;
    var P = HOLDINGS();
    var A = 1;
    for (var l = 0; l < PAGE_LEVELS(); l++) { A = A * ARITY(); }
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];
    signal input newRootHalves[2];
    signal input radius;

    // The tick
    signal input clock;
    signal input risk;
    signal input initial;
    signal input trading;
    signal input equity[instruments];
    signal input maintenance[instruments][TIERS()];
    signal input moves[instruments];

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
    signal input owner[pages][A];
    signal input meta[pages][A];
    signal input balance[pages][A];
    signal input classBits[pages][A][P][12];
    signal input x[pages][A][P];
    signal input claim[pages][A];               // 2^16*H - radius*G
    signal input weights[2 * TIERS() * instruments];

    component radiusBits = Num2Bits(BITS_RADIUS());
    radiusBits.in <== radius;

    component tick = MarginTable(instruments);
    tick.clock <== clock;
    tick.risk <== risk;
    tick.initial <== initial;
    tick.trading <== trading;
    tick.equity <== equity;
    tick.maintenance <== maintenance;
    tick.moves <== moves;
    tickHalves[0] * (1 << 128) + tickHalves[1] === tick.out;

    signal root <== LedgerRoot()(pagesRoot, reserve, nextId, consumed);
    rootHalves[0] * (1 << 128) + rootHalves[1] === root;

    component page[pages];
    component place[pages];
    component check = SweepCheck(pages, A, instruments);
    for (var i = 0; i < pages; i++) {
        page[i] = Page(A);
        page[i].owner <== owner[i];
        page[i].meta <== meta[i];
        page[i].balance <== balance[i];
        page[i].classBits <== classBits[i];
        page[i].x <== x[i];
        place[i] = HeaderPath(blockLevels, topLevels);
        place[i].bits <== pageBits[i];
        place[i].children <== children[i];
        place[i].before <== PageHeader()(page[i].root, anchor[i], lastRadius[i]);
        place[i].anchor <== blockAnchor[i];
        place[i].radius <== blockRadius[i];
        place[i].newAnchor <== 0;
        place[i].newRadius <== 0;
        place[i].after <== PageHeader()(page[i].root, tick.out, radius);
        if (i == 0) { place[i].rootBefore === pagesRoot; } else { place[i].rootBefore === place[i - 1].rootAfter; }
        check.pageRoot[i] <== page[i].root;
        check.balance[i] <== balance[i];
        check.classBits[i] <== classBits[i];
        check.x[i] <== x[i];
        check.claim[i] <== claim[i];
    }
    check.tick <== tick.out;
    check.radius <== radius;
    check.equity <== equity;
    check.maintenance <== maintenance;
    check.moves <== moves;
    check.weights <== weights;

    signal newRoot <== LedgerRoot()(place[pages - 1].rootAfter, reserve, nextId, consumed);
    newRootHalves[0] * (1 << 128) + newRootHalves[1] === newRoot;

    var F = SWEEP_FIXED_WORDS();
    component posted = Posted(F + pages);
    posted.words[WORD_SWEEP_HEADER()] <== F + pages + CIRCUIT_SWEEP() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_SWEEP_DOMAIN()] <== domain;
    posted.words[WORD_SWEEP_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_SWEEP_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_SWEEP_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_SWEEP_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_SWEEP_NEW_ROOT_HI()] <== newRootHalves[0];
    posted.words[WORD_SWEEP_NEW_ROOT_LO()] <== newRootHalves[1];
    posted.words[WORD_SWEEP_SWEEP_HEAD()] <== radius;
    for (var i = 0; i < pages; i++) { posted.words[F + i] <== place[i].index; }
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
