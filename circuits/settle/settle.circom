// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "lib/ledger.circom";
include "lib/posted.circom";
include "lib/tick.circom";
include "settle/table.circom";
include "settle/touch.circom";

// settle: a sequence of T touches (SPEC section 4) moves the ledger root S to S' at the tick whose hash is posted.
// Public: C, r, y, which bind the posted words: header, domain, S, tick, S' and four words a touch. Everything that leaves the circuit is one
// of these words or follows from them. S, the tick, the domain and the queue entries among them are written by the contract.
// The pending register is empty at both ends, so that no leg stands alone.
template Settle(T, instruments, blockLevels, topLevels) {
    var P = HOLDINGS();
    var L = PAGE_LEVELS() + blockLevels + topLevels;
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input rootHalves[2];
    signal input tickHalves[2];
    signal input newRootHalves[2];

    // The tick
    signal input slot;
    signal input time;
    signal input tau;
    signal input penaltyRate;
    signal input bidderShare;
    signal input rows[instruments][17];
    signal input moves;

    // A tick that pages are anchored at, opened: the one for touches that keep their page's header
    signal input anchorClock;
    signal input anchorRisk;
    signal input anchorInitial;
    signal input anchorTrading;
    signal input anchorEquity[instruments];
    signal input anchorMaintenance[instruments][4];
    signal input anchorMoves[instruments];

    // The ledger before
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;

    // Touches
    signal input op[T][12];
    signal input classBits[T][P][12];
    signal input x[T][P];
    signal input pathBits[T][L][3];
    signal input children[T][L][8];
    signal input claim[T][6];
    signal input weights[8 * instruments];
    signal input owner[T];
    signal input id[T];
    signal input nonce[T];
    signal input addr[T];
    signal input balance[T];
    signal input anchor[T][2];
    signal input radius[T][2];
    signal input kept[T];
    signal input open[T];
    signal input credit[T];
    signal input l1Address[T];
    signal input target[T];
    signal input ownerHi[T];
    signal input ownerLo[T];
    signal input counterparty[T];
    signal input maxSize[T];
    signal input minReward[T];
    signal input limitPrice[T];
    signal input lastSlot[T];
    signal input ax[T];
    signal input ay[T];
    signal input r8x[T];
    signal input r8y[T];
    signal input s[T];
    signal input instrument[T];
    signal input side[T];
    signal input size[T];
    signal input price[T];
    signal input flag[T];

    // Slots are compared with the last slot of signatures: 32 bits; time fills the rest of its field, 64 bits.
    component slotBits = Num2Bits(BITS_SLOT());
    slotBits.in <== slot;
    component timeBits = Num2Bits(BITS_TIME());
    timeBits.in <== time;
    component tick = TickHash(instruments);
    tick.slot <== slot;
    tick.time <== time;
    tick.tau <== tau;
    tick.penaltyRate <== penaltyRate;
    tick.bidderShare <== bidderShare;
    tick.rows <== rows;
    tick.moves <== moves;
    tickHalves[0] * (1 << 128) + tickHalves[1] === tick.out;

    component anchored = MarginTable(instruments);
    anchored.clock <== anchorClock;
    anchored.risk <== anchorRisk;
    anchored.initial <== anchorInitial;
    anchored.trading <== anchorTrading;
    anchored.equity <== anchorEquity;
    anchored.maintenance <== anchorMaintenance;
    anchored.moves <== anchorMoves;

    component before = LedgerRoot();
    before.pagesRoot <== pagesRoot;
    before.reserve <== reserve;
    before.nextId <== nextId;
    before.consumed <== consumed;
    rootHalves[0] * (1 << 128) + rootHalves[1] === before.out;

    component touch[T];
    for (var a = 0; a < T; a++) {
        touch[a] = Touch(instruments, blockLevels, topLevels);
        touch[a].rows <== rows;
        touch[a].tau <== tau;
        touch[a].penaltyRate <== penaltyRate;
        touch[a].bidderShare <== bidderShare;
        touch[a].slot <== slot;
        touch[a].domain <== domain;
        touch[a].op <== op[a];
        touch[a].classBits <== classBits[a];
        touch[a].x <== x[a];
        touch[a].pathBits <== pathBits[a];
        touch[a].children <== children[a];
        touch[a].claim <== claim[a];
        touch[a].owner <== owner[a];
        touch[a].id <== id[a];
        touch[a].nonce <== nonce[a];
        touch[a].addr <== addr[a];
        touch[a].balance <== balance[a];
        touch[a].anchor <== anchor[a];
        touch[a].radius <== radius[a];
        touch[a].kept <== kept[a];
        touch[a].anchorTick <== anchored.out;
        touch[a].anchorEquity <== anchorEquity;
        touch[a].anchorMaintenance <== anchorMaintenance;
        touch[a].anchorMoves <== anchorMoves;
        touch[a].open <== open[a];
        touch[a].credit <== credit[a];
        touch[a].l1Address <== l1Address[a];
        touch[a].target <== target[a];
        touch[a].ownerHi <== ownerHi[a];
        touch[a].ownerLo <== ownerLo[a];
        touch[a].counterparty <== counterparty[a];
        touch[a].maxSize <== maxSize[a];
        touch[a].minReward <== minReward[a];
        touch[a].limitPrice <== limitPrice[a];
        touch[a].lastSlot <== lastSlot[a];
        touch[a].ax <== ax[a];
        touch[a].ay <== ay[a];
        touch[a].r8x <== r8x[a];
        touch[a].r8y <== r8y[a];
        touch[a].s <== s[a];
        touch[a].instrument <== instrument[a];
        touch[a].side <== side[a];
        touch[a].size <== size[a];
        touch[a].price <== price[a];
        touch[a].flag <== flag[a];
        if (a == 0) {
            touch[a].pagesRoot <== pagesRoot;
            touch[a].reserve <== reserve;
            touch[a].nextId <== nextId;
            touch[a].consumed <== consumed;
            for (var i = 0; i < 4; i++) { touch[a].opened[i] <== 0; }
            for (var i = 0; i < 8; i++) { touch[a].last[i] <== 0; }
        } else {
            touch[a].pagesRoot <== touch[a - 1].newPagesRoot;
            touch[a].reserve <== touch[a - 1].newReserve;
            touch[a].nextId <== touch[a - 1].newNextId;
            touch[a].consumed <== touch[a - 1].newConsumed;
            touch[a].opened <== touch[a - 1].opens;
            touch[a].last[0] <== instrument[a - 1];
            touch[a].last[1] <== side[a - 1];
            touch[a].last[2] <== size[a - 1];
            touch[a].last[3] <== price[a - 1];
            touch[a].last[4] <== id[a - 1];
            touch[a].last[5] <== counterparty[a - 1];
            touch[a].last[6] <== touch[a - 1].reward;
            touch[a].last[7] <== flag[a - 1];
        }
    }
    // No leg is left open.
    for (var i = 0; i < 4; i++) { touch[T - 1].opens[i] === 0; }
    // |reserve| <= 2^120 at the end of every proof; within one it moves by less than 2^122 a touch, so that T <= 32 keeps it
    // below 2^127 + 2^120: within the 128 bits of the comparator that reads it.
    assert(T <= 32);
    component reserveBits = Num2Bits(BITS_BALANCE() + 1);
    reserveBits.in <== touch[T - 1].newReserve + (1 << BITS_BALANCE());

    component check = TableCheck(T, instruments);
    check.root <== before.out;
    check.tick <== tick.out;
    check.anchorTick <== anchored.out;
    check.anchorEquity <== anchorEquity;
    check.anchorMaintenance <== anchorMaintenance;
    check.anchorMoves <== anchorMoves;
    check.rows <== rows;
    check.weights <== weights;
    check.claim <== claim;
    check.x <== x;
    for (var a = 0; a < T; a++) {
        check.leaf[a] <== touch[a].leaf;
        check.class[a] <== touch[a].class;
    }

    component after = LedgerRoot();
    after.pagesRoot <== touch[T - 1].newPagesRoot;
    after.reserve <== touch[T - 1].newReserve;
    after.nextId <== touch[T - 1].newNextId;
    after.consumed <== touch[T - 1].newConsumed;
    newRootHalves[0] * (1 << 128) + newRootHalves[1] === after.out;

    var F = SETTLE_FIXED_WORDS();
    component posted = Posted(F + 4*T);
    posted.words[WORD_SETTLE_HEADER()] <== F + 4*T + CIRCUIT_SETTLE() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_SETTLE_DOMAIN()] <== domain;
    posted.words[WORD_SETTLE_ROOT_HI()] <== rootHalves[0];
    posted.words[WORD_SETTLE_ROOT_LO()] <== rootHalves[1];
    posted.words[WORD_SETTLE_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_SETTLE_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_SETTLE_NEW_ROOT_HI()] <== newRootHalves[0];
    posted.words[WORD_SETTLE_NEW_ROOT_LO()] <== newRootHalves[1];
    for (var a = 0; a < T; a++) { for (var i = 0; i < 4; i++) { posted.words[F + 4*a + i] <== touch[a].words[i]; } }
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
