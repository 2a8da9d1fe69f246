// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/ledger.circom";
include "lib/merkle.circom";
include "lib/posted.circom";
include "lib/tick.circom";
include "sweep/page.circom";
include "coverage/displacement.circom";

// coverage: at the posted tick every account of pages first .. until - 1 of root S has health H >= 0.
// Each page is empty with a cleared header, or was swept at an anchor tick with a radius that is at least what prices, funding and charges
// have moved since (the displacement of that anchor, SPEC section 8). A page's header was written by a sweep, or kept by a touch that
// showed the radius; its accounts are those swept.
// A block is 8^blockLevels neighbouring pages. With `rest` everything to the right of the block is empty too, and `until` is
// the number of all pages.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, (first, until). The contract writes all but the last.
//
// Attacks: a page missing or counted twice (the block is a whole subtree at a place given by its path, and ranges are posted); an
// anchor with convenient tables (its tables are opened from the hash in the header, which only sweeps write); anchor 0 (no tick
// hashes to 0); a displacement too small (it is checked for every class); a page said to be empty (its header is the constant).
template Coverage(blockLevels, levels, instruments, anchors) {
    var block = 1;
    for (var l = 0; l < blockLevels; l++) { block = block * 8; }
    var total = 1;
    for (var l = 0; l < levels; l++) { total = total * 8; }
    var above = levels - blockLevels;
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];

    // The present tick [0] and older anchors [1 ..]; one not needed is the present tick again.
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
    signal input pageRoot[block];
    signal input radius[block];
    signal input at[block][1 + anchors];        // the tick it is anchored at; none for an empty page
    signal input pathBits[above + 1][3];        // the last row is not used: there may be no level above
    signal input children[above + 1][8];
    signal input rest;

    component tick[1 + anchors];
    component moved[anchors];
    for (var i = 0; i <= anchors; i++) {
        tick[i] = MarginTable(instruments);
        tick[i].clock <== clock[i];
        tick[i].risk <== risk[i];
        tick[i].initial <== initial[i];
        tick[i].trading <== trading[i];
        tick[i].equity <== equity[i];
        tick[i].maintenance <== maintenance[i];
        tick[i].moves <== moves[i];
        if (i > 0) {
            moved[i - 1] = Displacement(instruments);
            moved[i - 1].d <== displacement[i - 1];
            moved[i - 1].rise <== rise[i - 1];
            moved[i - 1].moves <== moves[i];
            moved[i - 1].equityThen <== equity[i];
            moved[i - 1].equityNow <== equity[0];
            moved[i - 1].maintenanceThen <== maintenance[i];
            moved[i - 1].maintenanceNow <== maintenance[0];
        }
    }
    tickHalves[0] * (1 << 128) + tickHalves[1] === tick[0].out;

    // Pages: anchored at one of the anchors, with a radius no less than its displacement; or empty and cleared.
    component headers = PageTree(block);
    component margin[block];
    signal anchorPart[block][1 + anchors];
    signal movedPart[block][anchors];
    signal held[block];
    signal header[block];
    for (var i = 0; i < block; i++) {
        var anchored = 0;
        var anchor = 0;
        var d = 0;
        for (var a = 0; a <= anchors; a++) {
            at[i][a] * (at[i][a] - 1) === 0;
            anchorPart[i][a] <== at[i][a] * tick[a].out;
            anchored += at[i][a];
            anchor += anchorPart[i][a];
            if (a > 0) {                        // nothing has moved since the present tick
                movedPart[i][a - 1] <== at[i][a] * displacement[a - 1];
                d += movedPart[i][a - 1];
            }
        }
        anchored * (anchored - 1) === 0;
        held[i] <== anchored * radius[i];
        margin[i] = Num2Bits(BITS_RADIUS());
        margin[i].in <== held[i] - d;
        header[i] <== PageHeader()(pageRoot[i], anchor, held[i]);
        headers.leaves[i] <== emptyTop(0) + anchored * (header[i] - emptyTop(0));
    }

    // The block's place, and the pages root
    rest * (rest - 1) === 0;
    component node[above + 1];
    signal after[above + 1][8];
    signal empty[above + 1][8];
    var index = 0;
    var root = headers.root;
    for (var l = 0; l < above; l++) {
        node[l] = Node();
        for (var b = 0; b < 3; b++) {
            pathBits[l][b] * (pathBits[l][b] - 1) === 0;
            index += pathBits[l][b] * (1 << (3*l + b));
        }
        node[l].bits <== pathBits[l];
        node[l].children <== children[l];
        node[l].child <== root;
        root = node[l].out;
        var right = 0;                          // child c stands right of ours
        for (var c = 0; c < 8; c++) {
            after[l][c] <== rest * right;
            empty[l][c] <== after[l][c] * (children[l][c] - emptyTop(blockLevels + l));
            empty[l][c] === 0;
            right += node[l].hot[c];
        }
    }
    for (var b = 0; b < 3; b++) { pathBits[above][b] === 0; }
    for (var c = 0; c < 8; c++) {
        children[above][c] === 0;
        after[above][c] <== 0;
        empty[above][c] <== 0;
    }
    pagesRoot === root;
    signal ledger <== LedgerRoot()(pagesRoot, reserve, nextId, consumed);
    rootHalves[0] * (1 << 128) + rootHalves[1] === ledger;

    signal until <== (index + 1) * block + rest * (total - (index + 1) * block);
    component posted = Posted(COVERAGE_FIXED_WORDS());
    posted.words[WORD_COVERAGE_HEADER()] <== COVERAGE_FIXED_WORDS() + CIRCUIT_COVERAGE() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_COVERAGE_DOMAIN()] <== domain;
    posted.words[WORD_COVERAGE_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_COVERAGE_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_COVERAGE_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_COVERAGE_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_COVERAGE_COVER_HEAD()] <== index * block * (1 << COVER_HEAD_FIRST()) + until * (1 << COVER_HEAD_UNTIL());
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
