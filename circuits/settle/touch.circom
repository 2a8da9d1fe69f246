// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/onehot.circom";
include "lib/sign.circom";
include "settle/account.circom";
include "settle/authority.circom";
include "settle/deposit.circom";
include "settle/keep.circom";
include "settle/legs.circom";
include "settle/path.circom";
include "settle/penalty.circom";
include "settle/place.circom";
include "settle/position.circom";
include "settle/row.circom";

// One touch of the ledger (SPEC section 4): opens a leaf, checks what the operation asks, writes the leaf.
//
//            noop deposit withdraw trade match liquidate bid backstop refuse deleverage offset absorb
// signed                     x       x     x              x
// position moves   coll.   coll.     x     x       x      x      x                x        x
// cash at price                      x     x       x      x      x                x        x
// must fall                coll.   (lim)  (lim)    x                              x     (perp.)
// after >= 0       limit   J'       (J')  (J')            J'     H'
// before < 0                        (J)   (J)      H                              H             (E)
// trial < 0                                      target          (H'')   H''    target
// trial >= 0                        (E'-E)(E'-E)
// next leg                           x             x                     x        x
// second leg                               x              x      x                (x)      x
//
// absorb, where E >= 0: of a backstop with M = 0, W > 0 and the reserve below 0; it asks W + reserve > 0 of worth, reserve < 0 of after,
// W > 0 of trial.
//
// The operations share one comparator for each kind of question; its operand is the sum of op * value, exactly one of which is not 0.
// Ledger of bit widths (absolute values; E before is that of the claims, exact by the sparse table check):
//   prices, F, charges 2^64; e, worst units, price - F 2^65         magnitudes 2^48, so s' - s 2^49
//   balance 2^120 (ranged when written)                             12 holdings: E - B, W - B 2^117; M, I 2^116
//   E, W 2^121; J, H 2^122; after and trial 2^122                   reserve between touches 2^127 + 2^120 (ranged at the proof's end)
//   tau 2^33: 2^32*E - tau*M 2^156                                  W'*M - W*M' 2^239
//   reward 2^117, minReward*2^32 2^96                               W + reserve 2^127 + 2^120 + 2^121
template Touch(instruments, blockLevels, topLevels) {
    var P = HOLDINGS();
    var L = PAGE_LEVELS() + blockLevels + topLevels;
    var capacity = 1;
    for (var l = 0; l < L; l++) { capacity = capacity * 8; }

    // Threaded state, and the last touch as far as it left something pending
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;
    signal input opened[4];
    signal input last[8];               // instrument, side, size, price, id, counterparty, reward, flag
    // The tick
    signal input rows[instruments][17];
    signal input tau;
    signal input penaltyRate;
    signal input bidderShare;
    signal input slot;
    signal input domain;
    // The operation
    signal input op[12];
    signal input instrument;
    signal input side;
    signal input size;
    signal input price;
    signal input flag;
    // The account and its place
    signal input owner;
    signal input id;
    signal input nonce;
    signal input addr;
    signal input balance;
    signal input classBits[P][12];
    signal input x[P];
    signal input pathBits[L][3];
    signal input children[L][8];
    signal input anchor[2];         // headers of the page and of its block
    signal input radius[2];
    // Whether its page keeps its header; the tick of that name, opened
    signal input kept;
    signal input anchorTick;
    signal input anchorEquity[instruments];
    signal input anchorMaintenance[instruments][4];
    signal input anchorMoves[instruments];
    // The queue entry; l1Address also names who is paid by a withdrawal
    signal input open;
    signal input credit;
    signal input l1Address;
    signal input target;
    signal input ownerHi;
    signal input ownerLo;
    // The signature
    signal input counterparty;
    signal input maxSize;
    signal input minReward;
    signal input limitPrice;
    signal input lastSlot;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;
    // Claims of the sparse table check: E - B, M, W - B, I; H - B and G at the anchor
    signal input claim[6];

    signal output newPagesRoot;
    signal output newReserve;
    signal output newNextId;
    signal output newConsumed;
    signal output opens[4];
    signal output reward;
    signal output words[4];
    signal output leaf;
    signal output class[P];

    // ------------------------------------------------------------------ which operation
    var sum = 0;
    var opcode = 0;
    for (var i = 0; i < 12; i++) {
        op[i] * (op[i] - 1) === 0;
        sum += op[i];
        opcode += i * op[i];
    }
    sum === 1;
    var noop = op[OP_NOOP()];
    var deposit = op[OP_DEPOSIT()];
    var withdraw = op[OP_WITHDRAW()];
    var trade = op[OP_TRADE()] + op[OP_TRADE_MATCH()];
    var liquidate = op[OP_LIQUIDATE()];
    var bid = op[OP_TAKE_BID()];
    var backstop = op[OP_TAKE_BACKSTOP()];
    var refuse = op[OP_REFUSE()];
    var deleverage = op[OP_DELEVERAGE()];
    var offset = op[OP_OFFSET()];
    var absorb = op[OP_ABSORB()];
    var victim = liquidate + deleverage;
    var take = bid + backstop;
    var executed = trade + victim + take + offset;
    var signed = withdraw + trade + bid;

    // ------------------------------------------------------------------ ranges of what is posted
    // Fields of a word are ranged to their widths, so that a word has one reading; what an operation doesn't use is 0.
    side * (side - 1) === 0;
    flag * (flag - 1) === 0;
    component sizeBits = Num2Bits(64);
    sizeBits.in <== size;
    component priceBits = Num2Bits(64);
    priceBits.in <== price;
    (noop + refuse + absorb) * size === 0;
    (noop + deposit + withdraw + absorb) * price === 0;
    (noop + deposit + absorb) * side === 0;
    withdraw * (1 - side) === 0;
    (1 - deposit - victim) * flag === 0;
    (1 - deposit - withdraw) * l1Address === 0;
    (1 - deposit) * target === 0;
    (1 - deposit) * ownerHi === 0;
    (1 - deposit) * ownerLo === 0;
    (1 - trade) * counterparty === 0;
    (1 - bid) * maxSize === 0;
    (1 - bid) * minReward === 0;
    (1 - bid) * limitPrice === 0;
    // Entries and signed terms exclude each other, so they share ranges: of each sum below, all terms but one are 0.
    signal taken <== bid * size;
    component halves[2];                 // ownerHi has two halves of 64 bits
    signal ownerUpper <-- ownerHi >> 64; // fixed by the ranges of both halves; 0 with ownerHi, by the next line
    (1 - deposit) * ownerUpper === 0;
    halves[0] = Num2Bits(64);
    halves[0].in <== ownerHi - ownerUpper * (1 << 64) + maxSize;
    halves[1] = Num2Bits(64);
    halves[1].in <== ownerUpper + minReward;
    component party = Num2Bits(BITS_ACCOUNT_ID());
    party.in <== target + counterparty;
    // An address, or of a bid: size <= Q, a price within its limit (at most to buy, at least to sell), the limit; 64 bits each.
    signal inside <== (1 - 2 * side) * (limitPrice - price);
    signal room <== bid * inside;
    component l1Bits = Num2Bits(192);
    l1Bits.in <== l1Address + maxSize - taken + room * (1 << 64) + limitPrice * (1 << 128);
    var third[3] = [0, 0, 0];
    for (var b = 0; b < 192; b++) { third[b \ 64] += l1Bits.out[b] * (1 << (b % 64)); }
    var beyond = 0;
    for (var b = BITS_ADDRESS(); b < 192; b++) { beyond += l1Bits.out[b]; }
    bid * (third[0] - maxSize + taken) === 0;
    bid * (third[1] - room) === 0;
    (1 - bid) * beyond === 0;
    signal noSize <== IsZero()(size);
    (executed + withdraw) * noSize === 0;

    // ------------------------------------------------------------------ the instrument
    component hot = OneHot(instruments);
    hot.index <== instrument;
    var isQuote = hot.hot[0];
    (noop + absorb) * (1 - isQuote) === 0;
    component row = Row(instruments);
    row.hot <== hot.hot;
    row.rows <== rows;
    (executed + refuse) * (1 - row.perpetual - row.collateral) === 0;     // listed and priced, so not the quote asset
    withdraw * (1 - isQuote - row.collateral) === 0;
    liquidate * (price - row.mark) === 0;
    refuse * (price - row.mark) === 0;
    signal discount <== row.collateral * (row.equity - row.mark);
    deleverage * (price - row.mark - discount) === 0;                     // the mark, or a collateral's equity value

    // ------------------------------------------------------------------ the account
    component account = OpenAccount(instruments);
    account.owner <== owner;
    account.id <== id;
    account.nonce <== nonce;
    account.addr <== addr;
    account.balance <== balance;
    account.classBits <== classBits;
    account.x <== x;
    leaf <== account.leaf;
    class <== account.class;
    (backstop + refuse) * (id - instrument) === 0;

    component place = Place();
    place.instrument <== instrument;
    place.isQuote <== isQuote;
    place.inst <== account.inst;
    place.class <== class;
    place.x <== x;
    (executed + refuse) * (1 - place.usable) === 0;

    // Order: every instrument held is this one or a later one. inst - k + (instruments where empty) lies in 0 .. 2*instruments - 1.
    signal first <== victim * instrument;
    var orderBits = 1;
    while ((1 << orderBits) < 2 * instruments) { orderBits++; }
    component inOrder[P];
    for (var j = 0; j < P; j++) {
        inOrder[j] = Num2Bits(orderBits);
        inOrder[j].in <== account.inst[j] + instruments * place.empty[j] - first;
    }

    // ------------------------------------------------------------------ values before
    var E = balance + claim[0];
    var M = claim[1];
    var W = balance + claim[2];
    var I = claim[3];
    signal noMaintenance <== IsZero()(M);
    // Absorbed: E where it is below 0, else min(W, -reserve), which a backstop gives (what it may give stands below).
    signal debt <== absorb * E;
    signal surplus <== absorb * W;
    signal deficit <== absorb * reserve;

    // before >= 0: victims are unhealthy, what is absorbed is a debt or a surplus; withdrawals wait while the reserve is a deficit; a
    // trader's J; a bid gets the reward it asks; and what a deposit credits (the reserve, the balance or a holding) stays within its limit.
    var fund = deposit - open - credit;
    signal limit[3];
    limit[0] <== fund * (reserve - balance);
    limit[1] <== isQuote * ((1 << 119) - (1 << 48) - balance - limit[0] - size * (1 << 32) + place.size + size);
    limit[2] <== deposit * ((1 << 48) - 1 - place.size - size + limit[1]);
    signal before[4];
    before[0] <== victim * (E - M);
    before[1] <== trade * (W - I);
    before[2] <== withdraw * reserve;
    before[3] <== bid * (last[6] - minReward * (1 << 32));
    signal sound <== NonNegative(128)(before[0] + before[1] + before[2] + before[3] + debt + limit[2]);
    victim * sound === 0;
    (withdraw + bid) * (1 - sound) === 0;

    // worth > 0: equity of a victim, worst-of equity of a trader, of a surplus what is left of it when the deficit is made up
    signal worth[2];
    worth[0] <== victim * E;
    worth[1] <== trade * W;
    signal positive <== NonNegative(128)(worth[0] + worth[1] + surplus + deficit - 1);
    signal left <== positive * (surplus + deficit);
    signal given <== sound * (surplus - left - debt);
    var absorbed = debt + given;

    // ------------------------------------------------------------------ is a queue entry valid?
    component entry = Deposit(capacity);
    entry.deposit <== deposit;
    entry.open <== open;
    entry.credit <== credit;
    entry.depositor <== l1Address;
    entry.target <== target;
    entry.ownerHi <== ownerHi;
    entry.ownerLo <== ownerLo;
    entry.isQuote <== isQuote;
    entry.collateral <== row.collateral;
    entry.usable <== place.usable;
    entry.fits <== sound;
    entry.leaf <== leaf;
    entry.id <== id;
    entry.addr <== addr;
    entry.isBackstop <== account.isBackstop;
    entry.nextId <== nextId;
    deposit * (flag - entry.okFund - entry.okAccount) === 0;

    // ------------------------------------------------------------------ the position
    signal quoteIn <== entry.okAccount * isQuote;
    signal quoteOut <== withdraw * isQuote;
    signal moves <== executed + entry.okAccount - quoteIn + withdraw - quoteOut;
    signal signedSize <== size - 2 * side * size;
    signal moved <== moves * signedSize;                     // s' - s
    component position = Position();
    position.moved <== moved;
    position.posted <== size;
    position.instrument <== instrument;
    position.collateral <== row.collateral;
    position.bounds <== row.bounds;
    position.maintenance <== row.maintenance;
    position.initial <== row.initial;
    position.worstLong <== row.worstLong;
    position.worstShort <== row.worstShort;
    position.x <== place.size;
    position.side <== place.side;
    position.tier <== place.tier;
    // Closing, offsetting a perpetual, taking collateral out, and any trade at a limited mark must make the position fall.
    signal offsetPerpetual <== offset * row.perpetual;
    signal heldBack <== trade * row.limited;
    (victim + offsetPerpetual + heldBack + withdraw - quoteOut) * (1 - position.falls) === 0;

    // The trial: one step less closed (a victim), one step more taken (a backstop). No further reward.
    signal towards <== side + victim * (1 - 2 * side);
    component trial = OneStep();
    trial.x <== position.newX;
    trial.side <== position.newSide;
    trial.gone <== position.gone;
    trial.over <== position.over;
    trial.towards <== towards;
    trial.bounds <== row.bounds;
    trial.maintenance <== row.maintenance;

    // ------------------------------------------------------------------ penalty
    var dM = position.maintenanceAfter - position.maintenanceBefore;
    component penalty = Penalty();
    penalty.equity <== worth[0];
    penalty.equityPositive <== positive;
    penalty.divisor <== 1 + victim * (M - 1 + noMaintenance);
    penalty.released <== 0 - dM;
    penalty.releasedTrial <== position.maintenanceBefore - trial.charge;
    penalty.penaltyRate <== penaltyRate;
    penalty.liquidates <== liquidate;
    penalty.bidderShare <== bidderShare;
    reward <== penalty.reward;

    // ------------------------------------------------------------------ cash
    signal gap <== executed * (price - row.funding);
    signal turnover <== moved * gap;
    signal credited <== (quoteIn - quoteOut) * size;
    signal earned <== take * last[6];
    signal dB <== credited * (1 << 32) - turnover - penalty.penalty + earned - absorbed;
    component balanceBits = Num2Bits(BITS_BALANCE() + 1);     // -2^120 <= balance' < 2^120
    balanceBits.in <== balance + dB + (1 << BITS_BALANCE());

    // ------------------------------------------------------------------ values after; exact integers, linear in what changed
    signal revalued <== moved * row.equity;
    var E1 = E + dB + revalued;
    var M1 = M + dM;
    var W1 = W + dB + position.worstAfter - position.worstBefore;
    var I1 = I + position.initialAfter - position.initialBefore;

    signal trialGap <== (moved + 1 - 2 * towards) * (row.equity - price + row.funding);
    var E2 = E + trialGap - penalty.penaltyTrial + earned;
    var M2 = M + trial.charge - position.maintenanceBefore;

    // ------------------------------------------------------------------ after >= 0; for absorb: the reserve is below 0
    signal after[2];
    after[0] <== signed * (W1 - I1);
    after[1] <== backstop * (E1 - M1);
    signal enough <== NonNegative(128)(after[0] + after[1] - deficit - absorb);
    (withdraw + take) * (1 - enough) === 0;

    // ------------------------------------------------------------------ closing
    // Victim: the target 2^32*E' >= tau*M'. Trader: W'*M >= W*M'.
    signal cross[3];
    cross[0] <== tau * M1;
    cross[1] <== W1 * M;
    cross[2] <== W * M1;
    signal ratio[2];
    ratio[0] <== victim * (E1 * (1 << 32) - cross[0]);
    ratio[1] <== trade * (cross[1] - cross[2]);
    signal reached <== NonNegative(240)(ratio[0] + ratio[1]);
    signal missed <== (1 - reached) * (1 - position.gone);
    signal unexplained <== missed * (1 - flag);
    victim * unexplained === 0;                              // reached, closed, or the taker is exhausted

    // The trial. Victim: target with one step less. Backstop: health with one step more, if there is room for one. Trader: E' >= E.
    // Absorb: W > 0.
    signal trialTau <== tau * M2;
    signal tries[3];
    tries[0] <== victim * (E2 * (1 << 32) - trialTau);
    tries[1] <== (backstop + refuse) * (E2 - M2);
    tries[2] <== trade * (E1 - E);
    signal tried <== NonNegative(160)(tries[0] + tries[1] + tries[2] + surplus - absorb);
    signal single <== IsZero()(size - 1);
    signal sooner <== tried * (1 - single);
    victim * sooner === 0;                                   // minimal
    signal able <== tried * (1 - trial.full);
    refuse * able === 0;                                     // the backstop really can't
    signal couldMore <== able * last[7];
    backstop * couldMore === 0;                              // exhausted as claimed

    // ------------------------------------------------------------------ trading below initial margin: only to ease it
    signal below <== (1 - sound) * (1 - noMaintenance);
    signal eases <== position.falls * reached;
    // E' >= E, or W > 0 (so W' >= 0 by the ratio) where E' - E = W' - W, which it is unless the mark is limited: there W bounds the price
    // by the raw one only, and what the account gives away between that and the mark its partner could withdraw.
    signal spare <== positive * (1 - row.limited);
    signal better <== spare + tried - spare * tried;
    signal exception[2];
    exception[0] <== below * eases;
    exception[1] <== exception[0] * better;
    signal unfit <== (1 - enough) * (1 - exception[1]);
    trade * unfit === 0;

    // ------------------------------------------------------------------ legs
    component legs = Legs();
    legs.op <== op;
    legs.opened <== opened;
    legs.lastInstrument <== last[0];
    legs.lastSide <== last[1];
    legs.lastSize <== last[2];
    legs.lastPrice <== last[3];
    legs.lastId <== last[4];
    legs.lastCounterparty <== last[5];
    legs.instrument <== instrument;
    legs.side <== side;
    legs.size <== size;
    legs.price <== price;
    legs.id <== id;
    legs.counterparty <== counterparty;
    opens[0] <== op[OP_TRADE()];
    opens[1] <== liquidate;
    opens[2] <== refuse;
    opens[3] <== deleverage;

    // offset: a perpetual's other side is used up where exhaustion was claimed; collateral goes to its backstop, which takes it all
    signal remains <== last[7] * (1 - position.gone);
    offsetPerpetual * remains === 0;
    signal offsetCollateral <== offset * row.collateral;
    offsetCollateral * (id - instrument) === 0;
    offsetCollateral * last[7] === 0;

    // bid: all of Q where exhausted
    signal bidExhausted <== bid * last[7];
    bidExhausted * (maxSize - size) === 0;

    // ------------------------------------------------------------------ absorb, withdraw
    // A debt of who has nothing left to sell; or, to make up a deficit, what a backstop without maintenance is worth at worst.
    signal flat <== IsZero()(account.slots);
    signal emptied <== account.isBackstop * noMaintenance;
    signal holds <== (1 - flat) * (1 - emptied);
    absorb * holds === 0;
    signal owing <== emptied * enough;
    signal gives <== owing * tried;
    signal solvent <== absorb * sound;
    solvent * (1 - gives) === 0;
    withdraw * (l1Address - addr) === 0;

    // ------------------------------------------------------------------ authority
    signal termPrice <== price + bid * (limitPrice - price);   // limitPrice is 0 but for a bid
    component authority = Authority();
    authority.signed <== signed;
    authority.kind <== withdraw * TAG_WITHDRAW() + trade * TAG_TRADE() + bid * TAG_BID();
    authority.domain <== domain;
    authority.owner <== owner;
    authority.id <== id;
    authority.nonce <== nonce;
    authority.isBackstop <== account.isBackstop;
    authority.slot <== slot;
    authority.lastSlot <== lastSlot;
    authority.terms <== instrument * (1 << TERMS_INSTRUMENT()) + side * (1 << TERMS_SIDE())
        + (size - taken + maxSize) * (1 << TERMS_SIZE()) + termPrice * (1 << TERMS_PRICE())
        + counterparty * (1 << TERMS_COUNTERPARTY()) + minReward * (1 << TERMS_MIN_REWARD());
    authority.ax <== ax;
    authority.ay <== ay;
    authority.r8x <== r8x;
    authority.r8y <== r8y;
    authority.s <== s;

    // ------------------------------------------------------------------ what is written
    // A new account stands in an empty leaf, whose id, address and owner are 0.
    signal newId <== id + entry.okOpen * nextId;
    signal newAddr <== addr + entry.okOpen * l1Address;
    signal newOwner <== owner + entry.okOpen * entry.owner;
    signal classChange <== moves * (position.newClass - place.classOf);
    signal newSlots <== account.slots + place.position * classChange;
    component written = LeafHash();
    written.owner <== newOwner;
    written.meta <== newId * (1 << META_ACCOUNT_ID()) + (nonce + signed) * (1 << META_NONCE()) + newAddr * (1 << META_ADDRESS());
    written.balance <== balance + dB;
    written.slots <== newSlots;
    for (var j = 0; j < P; j++) { written.x[j] <== x[j] + place.z[j] * (position.newX - place.size); }

    // A page and its block keep their headers through a no-op, or where the account is as safe as the page's says: that is no less than the
    // block's says, which was carried up from it (SPEC section 8). kept is posted, and 0 with a no-op.
    kept * (kept - 1) === 0;
    noop * kept === 0;
    kept * (anchor[0] - anchorTick) === 0;
    component keeps = Keep(instruments);
    keeps.keep <== kept;
    keeps.radius <== radius[0];
    keeps.hot <== hot.hot;
    keeps.equity <== anchorEquity;
    keeps.maintenance <== anchorMaintenance;
    keeps.move <== anchorMoves;
    keeps.moves <== moves;
    keeps.moved <== moved;
    keeps.x <== place.size;
    keeps.tier <== place.tier;
    keeps.newX <== position.newX;
    keeps.newSide <== position.newSide;
    keeps.over <== position.over;
    keeps.newBalance <== balance + dB;
    keeps.claim[0] <== claim[4];
    keeps.claim[1] <== claim[5];

    component path = Path(blockLevels, topLevels);
    path.bits <== pathBits;
    path.children <== children;
    path.anchor <== anchor;
    path.radius <== radius;
    path.keep <== noop + kept;
    path.before <== leaf;
    path.after <== written.out;
    path.rootBefore === pagesRoot;
    newPagesRoot <== path.rootAfter;

    signal donated <== entry.okFund * size;
    newReserve <== reserve + donated * (1 << 32) + penalty.penalty - reward + absorbed;
    newNextId <== nextId + entry.okOpen;
    newConsumed <== consumed + deposit;

    // ------------------------------------------------------------------ what is posted
    words[0] <== opcode * (1 << TOUCH_OP()) + flag * (1 << TOUCH_FLAG()) + path.index * (1 << TOUCH_LEAF_INDEX())
        + newId * (1 << TOUCH_ACCOUNT_ID()) + instrument * (1 << TOUCH_INSTRUMENT()) + side * (1 << TOUCH_SIDE())
        + size * (1 << TOUCH_SIZE()) + price * (1 << TOUCH_PRICE()) + kept * (1 << TOUCH_KEPT());
    signal l1Fields <== (deposit + withdraw) * (size * (1 << L1_AMOUNT()) + instrument * (1 << L1_ASSET()));
    words[1] <== l1Address * (1 << L1_ADDRESS()) + l1Fields + (open + 2 * credit) * (1 << L1_KIND());
    words[2] <== ownerHi * (1 << TARGET_OWNER_HI()) + target * (1 << TARGET_ACCOUNT_ID());
    words[3] <== ownerLo;
}
