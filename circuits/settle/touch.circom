// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/onehot.circom";
include "lib/shift.circom";
include "lib/sign.circom";
include "settle/account.circom";
include "settle/authority.circom";
include "settle/deposit.circom";
include "settle/path.circom";
include "settle/penalty.circom";
include "settle/signed.circom";
include "settle/slot.circom";
include "settle/tier.circom";

// One touch of the ledger (SPEC section 4): opens a leaf, checks what the operation asks, writes the leaf.
//
//            noop deposit withdraw trade match liquidate bid backstop refuse deleverage offset absorb
// signed                     x       x     x              x
// slot used        coll.   coll.     x     x       x      x      x       x        x        x
// cash at price                      x     x       x      x      x                x        x
// next leg                           x             x                     x        x
// second leg                               x              x      x                (x)      x
//
// Ledger of bit widths (absolute values):
//   prices, F, e, charges 2^64 (e, worst 2^65)   magnitudes 2^48 (trial 2^49)   size 2^64
//   12 holdings: E - B, W - B 2^117, M, I 2^116   balance, reserve 2^120        d*(p - F) 2^48+65 where a slot is used
//   E, W 2^121, after and trial 2^122             W*M 2^238                     2^32*E - tau*M 2^156
// d is at most 2^64 as posted, but s' = s + d must have a 48-bit magnitude, so that |d| < 2^49 wherever a slot is used.
template Touch(instruments, levels) {
    var P = HOLDINGS();
    var FIELDS = 17;
    var capacity = 64;
    for (var l = 0; l < levels; l++) { capacity = capacity * 8; }

    // Threaded state
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;
    signal input expectMatch;
    signal input expectTake;
    signal input expectDeleverage;
    signal input expectOffset;
    signal input pending[8];            // instrument, size, price, side, reward, first id, counterparty, exhausted
    // The tick
    signal input table[instruments][FIELDS];   // flags, mark, F, bounds 3, e, ewl, ews, m 4, iw 4
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
    signal input z[P];
    signal input pathBits[PAGE_LEVELS() + levels][3];
    signal input children[PAGE_LEVELS() + levels][8];
    signal input anchor;
    signal input radius;
    // The queue entry
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
    signal input lastSlot;
    signal input ax;
    signal input ay;
    signal input r8x;
    signal input r8y;
    signal input s;
    // Claims of the sparse table check: E - B, M, W - B, I
    signal input claim[4];

    signal output newPagesRoot;
    signal output newReserve;
    signal output newNextId;
    signal output newConsumed;
    signal output nextMatch;
    signal output nextTake;
    signal output nextDeleverage;
    signal output nextOffset;
    signal output newPending[8];
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
    var match = op[OP_TRADE_MATCH()];
    var trade = op[OP_TRADE()] + match;
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
    var opens = op[OP_TRADE()] + liquidate + refuse + deleverage;
    var second = match + take + offset;

    // Legs: what the last touch opened is finished here, and nothing is finished that wasn't opened.
    expectMatch === match;
    expectTake === take;
    expectOffset === offset;
    expectDeleverage * (1 - deleverage) === 0;
    nextMatch <== op[OP_TRADE()];
    nextTake <== liquidate;
    nextDeleverage <== refuse;
    nextOffset <== deleverage;

    // ------------------------------------------------------------------ ranges of what is posted
    side * (side - 1) === 0;
    flag * (flag - 1) === 0;
    open * (open - 1) === 0;
    credit * (credit - 1) === 0;
    open * credit === 0;
    component sizeBits = Num2Bits(64);
    sizeBits.in <== size;
    component priceBits = Num2Bits(64);
    priceBits.in <== price;
    component l1Bits = Num2Bits(160);
    l1Bits.in <== l1Address;
    component targetBits = Num2Bits(32);
    targetBits.in <== target;
    component hiBits = Num2Bits(128);
    hiBits.in <== ownerHi;
    component loBits = Num2Bits(128);
    loBits.in <== ownerLo;
    component counterpartyBits = Num2Bits(32);
    counterpartyBits.in <== counterparty;
    component maxSizeBits = Num2Bits(64);
    maxSizeBits.in <== maxSize;
    component rewardBits = Num2Bits(64);
    rewardBits.in <== minReward;
    // What an operation doesn't use is 0, so that one operation has one posting.
    (noop + refuse + absorb) * size === 0;
    (noop + deposit + withdraw + absorb) * price === 0;
    (noop + deposit + absorb) * side === 0;
    withdraw * (1 - side) === 0;
    (noop + absorb) * instrument === 0;
    (1 - deposit - victim) * flag === 0;
    (1 - deposit) * (open + credit) === 0;
    (1 - deposit - withdraw) * l1Address === 0;
    (1 - deposit) * target === 0;
    (1 - deposit) * ownerHi === 0;
    (1 - deposit) * ownerLo === 0;
    (1 - trade) * counterparty === 0;
    (1 - bid) * maxSize === 0;
    (1 - bid) * minReward === 0;
    component sizeZero = IsZero();
    sizeZero.in <== size;
    (withdraw + trade + victim) * sizeZero.out === 0;

    // ------------------------------------------------------------------ the instrument
    component hot = OneHot(instruments);
    hot.index <== instrument;
    component pick[FIELDS];
    for (var f = 0; f < FIELDS; f++) {
        pick[f] = Pick(instruments);
        for (var k = 0; k < instruments; k++) {
            pick[f].hot[k] <== hot.hot[k];
            pick[f].in[k] <== table[k][f];
        }
    }
    component flags = Num2Bits(3);
    flags.in <== pick[0].out;
    var isQuote = hot.hot[0];
    var isPerpetual = flags.out[0];
    var isCollateral = flags.out[1];
    var limited = flags.out[2];
    var mark = pick[1].out;
    var funding = pick[2].out;
    var equityUnit = pick[6].out;
    (executed + refuse) * (1 - isPerpetual - isCollateral) === 0;       // listed and priced; so not the quote asset
    signal withdrawsAsset;
    withdrawsAsset <== withdraw * (1 - isQuote);
    withdrawsAsset * (1 - isCollateral) === 0;

    // ------------------------------------------------------------------ the account
    component account = OpenAccount();
    account.owner <== owner;
    account.id <== id;
    account.nonce <== nonce;
    account.addr <== addr;
    account.balance <== balance;
    for (var j = 0; j < P; j++) {
        account.x[j] <== x[j];
        for (var b = 0; b < 12; b++) { account.classBits[j][b] <== classBits[j][b]; }
    }
    for (var j = 0; j < P; j++) { class[j] <== account.class[j]; }
    leaf <== account.leaf;
    component place = ReadSlot();
    for (var j = 0; j < P; j++) {
        place.inst[j] <== account.inst[j];
        place.x[j] <== x[j];
        place.z[j] <== z[j];
        for (var b = 0; b < 12; b++) { place.classBits[j][b] <== classBits[j][b]; }
    }
    component isBackstop = LessThan(32);
    isBackstop.in[0] <== id;
    isBackstop.in[1] <== instruments;
    signed * isBackstop.out === 0;
    (backstop + refuse) * (id - instrument) === 0;

    // ------------------------------------------------------------------ deposits
    component room = HasRoom();
    room.instrument <== instrument;
    for (var j = 0; j < P; j++) { room.inst[j] <== account.inst[j]; }
    component entry = DepositTarget();
    entry.credit <== credit;
    entry.target <== target;
    entry.nextId <== nextId;
    entry.isCollateral <== isCollateral;
    entry.hasRoom <== room.out;
    component rule = DepositRule(instruments, capacity);
    rule.targetOk <== entry.targetOk;
    rule.fund <== 1 - open - credit;
    rule.open <== open;
    rule.credit <== credit;
    rule.isQuote <== isQuote;
    rule.isCollateral <== isCollateral;
    rule.amount <== size;
    rule.owner <== ownerHi * (1 << 128) + ownerLo;
    rule.depositor <== l1Address;
    rule.reserve <== reserve;
    rule.nextId <== nextId;
    rule.id <== id;
    rule.addr <== addr;
    rule.balance <== balance;
    rule.hasRoom <== room.out;
    rule.oldX <== place.oldX;
    signal ok;
    ok <== deposit * rule.ok;
    deposit * (flag - rule.ok) === 0;
    // The right leaf is opened: the target's, or an empty one.
    signal credits;
    credits <== credit * entry.targetOk;
    credits * (id - target) === 0;
    signal opened;
    opened <== ok * open;
    opened * (leaf - EMPTY_LEAF()) === 0;
    signal toAccount;
    toAccount <== ok * (open + credit);
    signal toFund;
    toFund <== ok - toAccount;
    signal depositsAsset;
    depositsAsset <== toAccount * (1 - isQuote);
    signal amounts[2];                          // credited to the account, to the fund
    amounts[0] <== (toAccount - depositsAsset) * size;
    amounts[1] <== toFund * size;

    // ------------------------------------------------------------------ the slot
    signal used;
    used <== executed + refuse + withdrawsAsset + depositsAsset;
    signal slotMatters;                         // also where a deposit's validity depends on the slot
    slotMatters <== (1 - depositsAsset) * entry.slotMatters;
    component slotRule = UseSlot();
    slotRule.used <== used + slotMatters;
    slotRule.instrument <== instrument;
    slotRule.oldInst <== place.oldInst;
    for (var j = 0; j < P; j++) {
        slotRule.inst[j] <== account.inst[j];
        slotRule.z[j] <== z[j];
    }
    signal oldSigned;
    oldSigned <== place.oldX - 2 * place.oldSide * place.oldX;
    signal d;
    d <== size - 2 * side * size;
    signal moved;                               // what the slot's signed size changes by
    moved <== used * d;
    component now = SignedSize(48);
    now.in <== oldSigned + moved;
    signal shortCollateral;
    shortCollateral <== isCollateral * now.side;
    used * shortCollateral === 0;

    component tier = Tier(48);
    component was = Charges();
    component trialTier = Tier(49);
    tier.x <== now.x;
    was.bits[0] <== place.oldTier[0];
    was.bits[1] <== place.oldTier[1];
    for (var t = 0; t < 3; t++) {
        tier.bounds[t] <== pick[3 + t].out;
        trialTier.bounds[t] <== pick[3 + t].out;
    }
    for (var t = 0; t < 4; t++) {
        tier.maintenance[t] <== pick[9 + t].out;
        trialTier.maintenance[t] <== pick[9 + t].out;
        was.maintenance[t] <== pick[9 + t].out;
        tier.initial[t] <== pick[13 + t].out;
        trialTier.initial[t] <== pick[13 + t].out;
        was.initial[t] <== pick[13 + t].out;
    }
    // The new class: none at 0, else instrument, tier, side.
    signal newClass;
    newClass <== (1 - now.isZero) * (8 * instrument + 2 * tier.tier + now.side);

    // "Falls": a smaller magnitude on the same side, or none.
    component smaller = LessThan(48);
    smaller.in[0] <== now.x;
    smaller.in[1] <== place.oldX;
    signal sidesDiffer;
    sidesDiffer <== place.oldSide + now.side - 2 * place.oldSide * now.side;
    signal flips;
    flips <== sidesDiffer * (1 - now.isZero);
    signal falls;
    falls <== smaller.out * (1 - flips);

    // ------------------------------------------------------------------ values before
    var E = balance + claim[0];
    var M = claim[1];
    var W = balance + claim[2];
    var I = claim[3];
    component noMaintenance = IsZero();
    noMaintenance.in <== M;

    // before >= 0: health of a victim, free initial of a trader, equity of an account to absorb. |.| < 2^122
    signal beforeIn[3];
    beforeIn[0] <== victim * (E - M);
    beforeIn[1] <== trade * (W - I);
    beforeIn[2] <== absorb * E;
    component before = NonNegative(122);
    before.in <== beforeIn[0] + beforeIn[1] + beforeIn[2];
    (victim + absorb) * before.out === 0;       // never a healthy account, never a solvent one

    // equity of a victim >= 0; worst-of equity of a trader > 0. |.| < 2^122
    signal worthIn[2];
    worthIn[0] <== victim * E;
    worthIn[1] <== trade * (W - 1);
    component worth = NonNegative(122);
    worth.in <== worthIn[0] + worthIn[1];

    // ------------------------------------------------------------------ the penalty
    signal equityHeld;
    equityHeld <== worth.out * worthIn[0];      // max(E, 0) of a victim, 0 for others: worth is 1 and worthIn[0] is 0
    signal base;
    base <== victim * (M + noMaintenance.out - 1);
    component share = PenaltyShare();
    share.equity <== equityHeld;
    share.maintenance <== 1 + base;             // M of a victim (1 if that is 0), 1 for others
    share.rate <== penaltyRate;
    signal rho;
    rho <== victim * share.rho;

    signal chargeNow[2];                        // x' times the charges of its tier
    signal chargeWas[2];
    chargeNow[0] <== now.x * tier.m;
    chargeNow[1] <== now.x * tier.i;
    chargeWas[0] <== place.oldX * was.m;
    chargeWas[1] <== place.oldX * was.i;
    signal dM;
    signal dI;
    dM <== used * (chargeNow[0] - chargeWas[0]);
    dI <== used * (chargeNow[1] - chargeWas[1]);
    component penalty = MulShift(117);          // rho <= 2^33, released maintenance < 2^116
    penalty.a <== rho;
    penalty.b <== 0 - dM;
    component rewarded = MulShift(117);
    rewarded.a <== bidderShare;
    rewarded.b <== penalty.out;
    signal reward;
    reward <== liquidate * rewarded.out;

    // ------------------------------------------------------------------ cash
    signal unitCash;
    unitCash <== executed * (price - funding);
    signal cash;
    cash <== 0 - d * unitCash;
    signal quoteOut;
    quoteOut <== (withdraw - withdrawsAsset) * size;
    signal pendingReward;
    pendingReward <== take * pending[4];
    signal dB;
    dB <== cash + amounts[0] * (1 << 32) - quoteOut * (1 << 32) - penalty.out + pendingReward - beforeIn[2];
    component balanceBits = Num2Bits(121);      // -2^120 <= balance' < 2^120
    balanceBits.in <== balance + dB + (1 << 120);

    // ------------------------------------------------------------------ values after
    signal equityMoved;
    equityMoved <== moved * equityUnit;
    signal worstUnit[2];
    worstUnit[0] <== place.oldSide * (pick[8].out - pick[7].out);
    worstUnit[1] <== now.side * (pick[8].out - pick[7].out);
    signal worstWas;
    signal worstNow;
    worstWas <== place.oldX * (pick[7].out + worstUnit[0]);
    worstNow <== now.x * (pick[7].out + worstUnit[1]);
    signal dW;
    dW <== used * (worstNow - worstWas);
    var E1 = E + dB + equityMoved;
    var M1 = M + dM;
    var W1 = W + dB + dW;
    var I1 = I + dI;

    // after >= 0: free initial where the initial check applies, health of a backstop. |.| < 2^123
    signal afterIn[2];
    afterIn[0] <== (withdraw + trade + bid) * (W1 - I1);
    afterIn[1] <== backstop * (E1 - M1);
    component after = NonNegative(123);
    after.in <== afterIn[0] + afterIn[1];
    (withdraw + bid + backstop) * (1 - after.out) === 0;

    // Victim: the target 2^32*E' >= tau*M'. Trader: W'*M >= W*M'. |.| < 2^240
    signal cross[3];
    cross[0] <== W1 * M;
    cross[1] <== W * M1;
    cross[2] <== tau * M1;
    signal ratioIn[2];
    ratioIn[0] <== victim * (E1 * (1 << 32) - cross[2]);
    ratioIn[1] <== trade * (cross[0] - cross[1]);
    component ratio = NonNegative(240);
    ratio.in <== ratioIn[0] + ratioIn[1];

    // ------------------------------------------------------------------ the trade rule
    component eased = NonNegative(123);
    signal easedIn;
    easedIn <== trade * (W1 - W);
    eased.in <== easedIn;
    signal exception[4];
    exception[0] <== (1 - before.out) * (1 - noMaintenance.out);
    exception[1] <== falls * ratio.out;
    exception[2] <== 1 - (1 - worth.out) * (1 - eased.out);
    exception[3] <== exception[0] * exception[1];
    signal excepted;
    excepted <== exception[3] * exception[2];
    signal fitsInitial;
    fitsInitial <== (1 - after.out) * (1 - excepted);
    trade * fitsInitial === 0;
    signal growsLimited;
    growsLimited <== limited * (1 - falls);
    trade * growsLimited === 0;

    // ------------------------------------------------------------------ the size rule
    // Order: every slot that is held has this instrument or a higher one. Instruments are below 2^9.
    component lower[P];
    signal heldLower[P];
    for (var j = 0; j < P; j++) {
        lower[j] = LessThan(9);
        lower[j].in[0] <== account.inst[j];
        lower[j].in[1] <== instrument;
        heldLower[j] <== lower[j].out * account.inst[j];
        victim * heldLower[j] === 0;
    }
    victim * (place.oldInst - instrument) === 0;        // holds it
    victim * (side + place.oldSide - 1) === 0;          // closes
    victim * (1 - falls) === 0;                         // at most the holding
    signal open1;
    open1 <== (1 - ratio.out) * (1 - now.isZero);
    signal unfinished;
    unfinished <== open1 * (1 - flag);
    victim * unfinished === 0;                          // reached, closed, or the taker exhausted

    // The trial: a victim with one step less closed, a backstop with one step more taken.
    var step = 1 - 2 * side;
    component trial = SignedSize(49);
    signal trialStep;
    trialStep <== (1 - 2 * victim) * step;
    trial.in <== oldSigned + moved + trialStep;
    trialTier.x <== trial.x;
    signal trialCharge;
    trialCharge <== trial.x * trialTier.m;
    var trialReleased = chargeWas[0] - trialCharge;
    component trialPenalty = MulShift(117);
    trialPenalty.a <== rho;
    signal trialBase;
    trialBase <== victim * trialReleased;
    trialPenalty.b <== trialBase;
    signal trialMoved;
    trialMoved <== (moved + trialStep) * (equityUnit - price + funding);
    var trialE = E + trialMoved - trialPenalty.out + pendingReward;
    var trialM = M - trialReleased;
    signal trialTau;
    trialTau <== tau * trialM;
    signal trialIn[2];
    trialIn[0] <== victim * (trialE * (1 << 32) - trialTau);
    trialIn[1] <== (backstop + refuse) * (trialE - trialM);
    component tried = NonNegative(157);
    tried.in <== trialIn[0] + trialIn[1];
    component single = IsEqual();
    single.in[0] <== size;
    single.in[1] <== 1;
    signal reachedSooner;
    reachedSooner <== tried.out * (1 - single.out);
    victim * reachedSooner === 0;                       // minimal
    refuse * tried.out === 0;                           // the backstop really can't
    signal couldMore;
    couldMore <== tried.out * pending[7];
    backstop * couldMore === 0;

    // ------------------------------------------------------------------ prices
    liquidate * (price - mark) === 0;
    refuse * (price - mark) === 0;
    signal closingPrice;
    closingPrice <== isCollateral * (equityUnit - mark);
    deleverage * (price - mark - closingPrice) === 0;

    // ------------------------------------------------------------------ second legs
    (second + expectDeleverage) * (instrument - pending[0]) === 0;
    second * (size - pending[1]) === 0;
    second * (price - pending[2]) === 0;
    (second + expectDeleverage) * (side - pending[3]) === 0;
    component sameAccount = IsEqual();
    sameAccount.in[0] <== id;
    sameAccount.in[1] <== pending[5];
    (second + expectDeleverage) * sameAccount.out === 0;
    match * (id - pending[6]) === 0;
    match * (counterparty - pending[5]) === 0;
    // bid: within its size, exhausted where that was claimed, and rewarded
    component overSize = LessThan(64);
    overSize.in[0] <== maxSize;
    overSize.in[1] <== size;
    bid * overSize.out === 0;
    signal bidExhausted;
    bidExhausted <== bid * pending[7];
    bidExhausted * (size - maxSize) === 0;
    signal rewardGap;
    rewardGap <== bid * (pending[4] - minReward * (1 << 32));
    component paid = NonNegative(118);
    paid.in <== rewardGap;
    paid.out === 1;
    // deleverage with no refusal before it: only of the perpetual's own backstop
    signal unrefused;
    unrefused <== deleverage * (1 - expectDeleverage);
    unrefused * (id - instrument) === 0;
    unrefused * isCollateral === 0;
    // offset: the other side's position falls, or the collateral's backstop takes it
    signal offsetPerpetual;
    signal offsetCollateral;
    offsetPerpetual <== offset * isPerpetual;
    offsetCollateral <== offset * isCollateral;
    offsetPerpetual * (1 - falls) === 0;
    signal stillOpen;
    stillOpen <== pending[7] * (1 - now.isZero);
    offsetPerpetual * stillOpen === 0;
    offsetCollateral * pending[7] === 0;
    offsetCollateral * (id - instrument) === 0;

    // ------------------------------------------------------------------ absorb, withdraw
    component flat = IsZero();
    flat.in <== account.slots;
    signal backstopDone;
    backstopDone <== isBackstop.out * noMaintenance.out;
    signal notFlat;
    notFlat <== (1 - flat.out) * (1 - backstopDone);
    absorb * notFlat === 0;
    signal owed;
    owed <== withdraw * reserve;
    component noDeficit = NonNegative(120);
    noDeficit.in <== owed;
    noDeficit.out === 1;
    withdraw * (l1Address - addr) === 0;

    // ------------------------------------------------------------------ authority
    component authority = Authority();
    authority.signed <== signed;
    authority.withdraw <== withdraw;
    authority.trade <== trade;
    authority.bid <== bid;
    authority.owner <== owner;
    authority.id <== id;
    authority.nonce <== nonce;
    authority.slot <== slot;
    authority.domain <== domain;
    authority.instrument <== instrument;
    authority.side <== side;
    authority.size <== size + bid * (maxSize - size);
    authority.price <== price - bid * price;
    authority.counterparty <== counterparty;
    authority.minReward <== minReward;
    authority.lastSlot <== lastSlot;
    authority.ax <== ax;
    authority.ay <== ay;
    authority.r8x <== r8x;
    authority.r8y <== r8y;
    authority.s <== s;

    // ------------------------------------------------------------------ what is written
    signal newOwner;
    newOwner <== owner + opened * (ownerHi * (1 << 128) + ownerLo - owner);
    signal newId;
    newId <== id + opened * (nextId - id);
    signal newAddr;
    newAddr <== addr + opened * (l1Address - addr);
    component newNonce = Num2Bits(32);          // no carry into the address
    newNonce.in <== nonce + signed;
    component written = PoseidonV(16);
    signal dClass[P];
    signal dX[P];
    signal classChange;
    signal xChange;
    classChange <== used * (newClass - place.oldClass);
    xChange <== used * (now.x - place.oldX);
    var newSlots = account.slots;
    for (var j = 0; j < P; j++) {
        dClass[j] <== z[j] * classChange;
        dX[j] <== z[j] * xChange;
        newSlots += dClass[j] * (1 << (12*j));
        written.inputs[4 + j] <== x[j] + dX[j];
    }
    written.inputs[0] <== newOwner;
    written.inputs[1] <== newId * (1 << META_ACCOUNT_ID()) + (nonce + signed) * (1 << META_NONCE()) + newAddr * (1 << META_ADDRESS());
    written.inputs[2] <== balance + dB;
    written.inputs[3] <== newSlots;

    component path = Path(levels);
    for (var l = 0; l < PAGE_LEVELS() + levels; l++) {
        for (var b = 0; b < 3; b++) { path.bits[l][b] <== pathBits[l][b]; }
        for (var i = 0; i < 8; i++) { path.children[l][i] <== children[l][i]; }
    }
    path.anchor <== anchor;
    path.radius <== radius;
    path.keep <== noop;
    path.before <== leaf;
    path.after <== written.out;
    path.rootBefore === pagesRoot;
    newPagesRoot <== path.rootAfter;

    newNextId <== nextId + opened;
    newConsumed <== consumed + deposit;
    newReserve <== reserve + amounts[1] * (1 << 32) + penalty.out - reward + beforeIn[2];
    component reserveBits = Num2Bits(121);
    reserveBits.in <== newReserve + (1 << 120);

    newPending[0] <== opens * instrument;
    newPending[1] <== opens * size;
    newPending[2] <== opens * price;
    newPending[3] <== opens * (1 - side);
    newPending[4] <== reward;
    newPending[5] <== opens * newId;
    newPending[6] <== counterparty * op[OP_TRADE()];
    newPending[7] <== victim * flag;

    // ------------------------------------------------------------------ what is posted
    words[0] <== opcode * (1 << TOUCH_OP()) + flag * (1 << TOUCH_FLAG()) + path.index * (1 << TOUCH_LEAF_INDEX())
        + newId * (1 << TOUCH_ACCOUNT_ID()) + instrument * (1 << TOUCH_INSTRUMENT()) + side * (1 << TOUCH_SIDE())
        + size * (1 << TOUCH_SIZE()) + price * (1 << TOUCH_PRICE());
    signal l1Fields;
    l1Fields <== (deposit + withdraw) * (size * (1 << L1_AMOUNT()) + instrument * (1 << L1_ASSET()));
    words[1] <== l1Address * (1 << L1_ADDRESS()) + l1Fields + (open + 2 * credit) * (1 << L1_KIND());
    words[2] <== ownerHi * (1 << TARGET_OWNER_HI()) + target * (1 << TARGET_ACCOUNT_ID());
    words[3] <== ownerLo;
}
