// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "lib/posted.circom";
include "lib/sign.circom";
include "lib/tick.circom";
include "tick/instrument.circom";
include "tick/median.circom";
include "tick/report.circom";

// tick: the new tick follows from the last one by the parameters and the reports of a quorum (SPEC section 2).
// Public: C, r, y, which bind the posted words: header, domain, last tick, parameters, new tick, head (slot, previous slot, time, present oracles)
// and a word an instrument (raw median, mark, funding, limited). The contract writes the domain, the last tick and the parameters.
//
// Attacks: a signer counted twice (each key has one place in the parameters, and counts once through its present bit); a subset
// posted as the whole (the present bits are posted, at least `quorum` of them); a report of another slot, set of instruments or
// ledger (all signed); a last tick of one's own (opened from the contract's hash).
template Tick(oracles, instruments, quorum) {
    signal input C;
    signal input r;
    signal input y;

    signal input domain;
    signal input previousHalves[2];
    signal input paramsHalves[2];
    signal input tickHalves[2];

    // Parameters
    signal input tau;
    signal input penaltyRate;
    signal input bidderShare;
    signal input slotSeconds;
    signal input keys[oracles][2];
    signal input terms[instruments][15];        // flags, haircut, jump, cap, mmr 4, imr 4, bounds 3

    // The last tick
    signal input previousSlot;
    signal input previousTime;
    signal input previousRisk;
    signal input previousSections[4];           // equity, maintenance, initial, moves
    signal input previousTrading[instruments][6];

    // Reports
    signal input slot;
    signal input present[oracles];
    signal input prices[oracles][instruments];
    signal input rates[oracles][instruments];
    signal input r8x[oracles];
    signal input r8y[oracles];
    signal input s[oracles];
    signal input half;                          // floor((n - 1) / 2) of n present reports
    signal input raw[instruments];
    signal input rate[instruments];

    // ------------------------------------------------------------------ parameters
    component params = Sponge(TAG_PARAMS(), 4 + 2*oracles + 15*instruments);
    params.d[0] <== tau;
    params.d[1] <== penaltyRate;
    params.d[2] <== bidderShare;
    params.d[3] <== slotSeconds;
    for (var o = 0; o < oracles; o++) {
        params.d[4 + 2*o] <== keys[o][0];
        params.d[5 + 2*o] <== keys[o][1];
    }
    for (var k = 0; k < instruments; k++) {
        for (var f = 0; f < 15; f++) { params.d[4 + 2*oracles + 15*k + f] <== terms[k][f]; }
    }
    paramsHalves[0] * (1 << 128) + paramsHalves[1] === params.out;

    // ------------------------------------------------------------------ the last tick, opened
    component previousSlotBits = Num2Bits(32);
    previousSlotBits.in <== previousSlot;
    component previousTimeBits = Num2Bits(64);
    previousTimeBits.in <== previousTime;
    component previousTrade = Sponge(TAG_TRADING(), 6 * instruments);
    for (var k = 0; k < instruments; k++) {
        for (var f = 0; f < 6; f++) { previousTrade.d[6*k + f] <== previousTrading[k][f]; }
    }
    component previous = TickRoot();
    previous.clock <== previousSlot + previousTime * (1 << 32);
    previous.risk <== previousRisk;
    for (var i = 0; i < 3; i++) { previous.sections[i] <== previousSections[i]; }
    previous.sections[3] <== previousTrade.out;
    previous.sections[4] <== previousSections[3];
    previousHalves[0] * (1 << 128) + previousHalves[1] === previous.out;

    // ------------------------------------------------------------------ the clock: slot > previousSlot; a gap counts for at most 2^16 - 1 slots
    component slotBits = Num2Bits(32);
    slotBits.in <== slot;
    signal gap;
    gap <== slot - previousSlot;
    component gapBits = Num2Bits(32);
    gapBits.in <== gap;
    component still = IsZero();
    still.in <== gap;
    still.out === 0;
    component long = NonNegative(32);
    long.in <== gap - (1 << 16);
    signal counted;
    counted <== gap - long.out * (gap - (1 << 16) + 1);
    signal time;
    time <== slot * slotSeconds;                // < 2^56: slotSeconds < 2^24
    component timeBits = Num2Bits(64);
    timeBits.in <== time;

    // ------------------------------------------------------------------ the quorum
    var n = 0;
    var bitmap = 0;
    for (var o = 0; o < oracles; o++) {
        present[o] * (present[o] - 1) === 0;
        n += present[o];
        bitmap += present[o] * (1 << o);
    }
    component enough = NonNegative(5);
    enough.in <== n - quorum;
    enough.out === 1;
    component halfBits = Num2Bits(4);
    halfBits.in <== half;
    signal odd;                                 // n - 1 = 2*half + odd
    odd <== n - 1 - 2 * half;
    odd * (odd - 1) === 0;

    component report[oracles];
    for (var o = 0; o < oracles; o++) {
        report[o] = Report(instruments);
        report[o].present <== present[o];
        for (var k = 0; k < instruments; k++) {
            report[o].prices[k] <== prices[o][k];
            report[o].rates[k] <== rates[o][k];
        }
        report[o].domain <== domain;
        report[o].params <== params.out;
        report[o].slots <== slot + previousSlot * (1 << 32);
        report[o].ax <== keys[o][0];
        report[o].ay <== keys[o][1];
        report[o].r8x <== r8x[o];
        report[o].r8y <== r8y[o];
        report[o].s <== s[o];
    }

    // ------------------------------------------------------------------ instruments
    component rawMedian[instruments];
    component rateMedian[instruments];
    component next[instruments];
    component tick = TickHash(instruments);
    component moves = Sponge(TAG_MOVES(), instruments);
    for (var k = 0; k < instruments; k++) {
        rawMedian[k] = LowerMedian(oracles, 64);
        rateMedian[k] = LowerMedian(oracles, 40);
        for (var o = 0; o < oracles; o++) {
            rawMedian[k].values[o] <== prices[o][k];
            rawMedian[k].present[o] <== present[o];
            rateMedian[k].values[o] <== rates[o][k];
            rateMedian[k].present[o] <== present[o];
        }
        rawMedian[k].k <== half;
        rawMedian[k].median <== raw[k];
        rateMedian[k].k <== half;
        rateMedian[k].median <== rate[k];

        next[k] = NextInstrument();
        next[k].flags <== terms[k][0];
        next[k].haircut <== terms[k][1];
        next[k].jump <== terms[k][2];
        next[k].cap <== terms[k][3];
        for (var t = 0; t < 4; t++) {
            next[k].mmr[t] <== terms[k][4 + t];
            next[k].imr[t] <== terms[k][8 + t];
        }
        for (var t = 0; t < 3; t++) { next[k].bounds[t] <== terms[k][12 + t]; }
        next[k].mark0 <== previousTrading[k][1];
        next[k].funding0 <== previousTrading[k][2];
        next[k].raw <== raw[k];
        next[k].rate <== rate[k];
        next[k].gap <== counted;
        for (var f = 0; f < 17; f++) { tick.rows[k][f] <== next[k].row[f]; }
        moves.d[k] <== next[k].row[17];
    }
    tick.slot <== slot;
    tick.time <== time;
    tick.tau <== tau;
    tick.penaltyRate <== penaltyRate;
    tick.bidderShare <== bidderShare;
    tick.moves <== moves.out;
    tickHalves[0] * (1 << 128) + tickHalves[1] === tick.out;

    // ------------------------------------------------------------------ what is posted
    var F = TICK_FIXED_WORDS();
    component posted = Posted(F + instruments);
    posted.words[WORD_TICK_HEADER()] <== F + instruments + CIRCUIT_TICK() * (1 << HEADER_CIRCUIT()) + VERSION() * (1 << HEADER_VERSION());
    posted.words[WORD_TICK_DOMAIN()] <== domain;
    posted.words[WORD_TICK_PREVIOUS_HI()] <== previousHalves[0];
    posted.words[WORD_TICK_PREVIOUS_LO()] <== previousHalves[1];
    posted.words[WORD_TICK_PARAMS_HI()] <== paramsHalves[0];
    posted.words[WORD_TICK_PARAMS_LO()] <== paramsHalves[1];
    posted.words[WORD_TICK_TICK_HI()] <== tickHalves[0];
    posted.words[WORD_TICK_TICK_LO()] <== tickHalves[1];
    posted.words[WORD_TICK_TICK_HEAD()] <== slot * (1 << TICK_HEAD_SLOT()) + previousSlot * (1 << TICK_HEAD_PREVIOUS_SLOT())
        + time * (1 << TICK_HEAD_TIME()) + bitmap * (1 << TICK_HEAD_PRESENT());
    for (var k = 0; k < instruments; k++) {
        posted.words[F + k] <== raw[k] * (1 << TICK_INSTRUMENT_RAW()) + next[k].row[1] * (1 << TICK_INSTRUMENT_MARK())
            + (next[k].row[2] + (1 << 71)) * (1 << TICK_INSTRUMENT_FUNDING()) + next[k].limited * (1 << TICK_INSTRUMENT_LIMITED());
    }
    posted.C <== C;
    posted.r <== r;
    posted.y <== y;
}
