// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "bitify.circom";
include "comparators.circom";
include "lib/shift.circom";
include "lib/sign.circom";

// The next state of one instrument (SPEC section 2) from its last mark and funding, the medians and its parameters. Never
// stalls: for every raw price and rate in range there is exactly one next state.
//
// Ledger of bit widths: mark0, raw, mark < 2^64; jump, haircut, charges' rates <= 2^32; gap < 2^16, >= 1;
//   mark*jump*gap < 2^112, move < 2^81; low, high < 2^82; |rate| < 2^39, clamped to |cap| <= 2^32;
//   |mark*rate*gap| < 2^113; |F0| < 2^64; charges <= 2^64.
// Parameters (flags, rates, bounds) are bound by their hash, which the contract writes; their ranges are checked when they are set.
template NextInstrument() {
    signal input flags;             // 0 unlisted, 1 perpetual, 2 collateral
    signal input haircut;
    signal input jump;
    signal input cap;
    signal input mmr[4];
    signal input imr[4];
    signal input bounds[3];
    signal input mark0;
    signal input funding0;
    signal input raw;               // ranged to 64 bits by the median
    signal input rate;              // offset binary, ranged to 40 bits by the median
    signal input gap;
    signal output row[18];
    signal output limited;

    component flagBits = Num2Bits(2);
    flagBits.in <== flags;
    var listed = flagBits.out[0] + flagBits.out[1];

    // ------------------------------------------------------------------ mark
    component unpriced = IsZero();
    unpriced.in <== mark0;
    component enough = NonNegative(64);
    enough.in <== raw - (1 << 20);
    signal markJump;
    markJump <== mark0 * jump;
    component move = MulShift(81);
    move.a <== markJump;
    move.b <== gap;
    component above = NonNegative(82);
    above.in <== mark0 - move.out - (1 << 20);
    signal low;
    low <== (1 << 20) + above.out * (mark0 - move.out - (1 << 20));
    component under = NonNegative(83);
    under.in <== low - 1 - raw;
    component over = NonNegative(83);
    over.in <== raw - mark0 - move.out - 1;
    signal raised;                  // what the limit adds to or takes from the raw price
    signal lowered;
    raised <== under.out * (low - raw);
    lowered <== over.out * (mark0 + move.out - raw);
    signal first;                   // the first price of an instrument is not limited
    first <== unpriced.out * enough.out;
    signal priced;
    priced <== listed * (1 - unpriced.out + first);
    signal moved;                   // priced before and now
    moved <== priced * (1 - unpriced.out);
    signal correction;
    correction <== moved * (raised + lowered);
    signal mark;
    mark <== priced * raw + correction;
    signal tooLow;
    signal tooHigh;
    tooLow <== moved * under.out;
    tooHigh <== moved * over.out;
    limited <== tooLow + tooHigh;   // never both: low <= mark0 + move for a priced instrument

    // The worse of mark and raw for longs and for shorts.
    signal worseLow;
    signal worseHigh;
    worseLow <== mark + tooLow * (raw - mark);
    worseHigh <== mark + tooHigh * (raw - mark);

    // ------------------------------------------------------------------ funding
    var centred = rate - (1 << 39);
    component rateOver = NonNegative(40);
    rateOver.in <== centred - cap - 1;
    component rateUnder = NonNegative(40);
    rateUnder.in <== 0 - cap - 1 - centred;
    signal clampOver;
    signal clampUnder;
    clampOver <== rateOver.out * (cap - centred);
    clampUnder <== rateUnder.out * (0 - cap - centred);
    signal paid;
    paid <== mark * (centred + clampOver + clampUnder);
    component step = ShiftDown(89);                     // floor of a signed product, moved up by 2^120
    step.in <== paid * gap + (1 << 120);
    var sum = funding0 + step.out - (1 << 88);
    component tooMuch = NonNegative(84);
    tooMuch.in <== sum - (1 << 64);
    component tooLittle = NonNegative(84);
    tooLittle.in <== 0 - (1 << 64) - sum;
    signal cut;
    signal lifted;
    cut <== tooMuch.out * ((1 << 64) - 1 - sum);
    lifted <== tooLittle.out * (1 - (1 << 64) - sum);
    signal funding;
    funding <== priced * (sum + cut + lifted);

    // ------------------------------------------------------------------ unit values, rounded against the account
    component kept = MulShift(65);
    kept.a <== mark;
    kept.b <== (1 << 32) - haircut;
    component keptLow = MulShift(65);
    keptLow.a <== worseLow;
    keptLow.b <== (1 << 32) - haircut;
    component maintenance[4];
    component initial[4];
    component usual = MulShiftUp(65);
    usual.a <== mark;
    usual.b <== jump;

    row[0] <== priced * flags + 4 * limited;
    row[1] <== mark;
    row[2] <== funding;
    for (var t = 0; t < 3; t++) { row[3 + t] <== priced * bounds[t]; }
    row[6] <== kept.out - funding;
    row[7] <== keptLow.out - funding;
    row[8] <== funding - worseHigh;
    for (var t = 0; t < 4; t++) {
        maintenance[t] = MulShiftUp(65);
        maintenance[t].a <== mark;
        maintenance[t].b <== mmr[t];
        initial[t] = MulShiftUp(65);
        initial[t].a <== worseHigh;
        initial[t].b <== imr[t];
        row[9 + t] <== maintenance[t].out;
        row[13 + t] <== initial[t].out;
    }
    row[17] <== usual.out;
}
