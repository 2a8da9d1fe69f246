// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";
include "settle/tier.circom";

// A holding before and after its signed size changes by `moved`: magnitude, side, class, charges and worst-of value.
//   s' = s + moved = (1 - 2*side')*x', x' in 48 bits, side' = 0 where x' = 0: so both are determined.
// Attacks: a magnitude that wraps (x' is ranged), a short of a collateral, a class id in an emptied slot.
// `falls`: x' = x - size. Where size >= 1 and moved is +-size that is: the other side was held and size <= x; for an increase gives
// x' = x + size and a flip x' = size - x, neither of which is x - size.
// Widths: s, s' 2^48, so |moved| < 2^49 wherever this holds; charges 2^64, so products 2^112; worst-of units 2^65.
// NOTE: moved is 0 or +-size, size ranged to 64 bits; side, tier and x are those of the opened slot.
template Position() {
    signal input moved;
    signal input posted;            // size as posted
    signal input instrument;
    signal input collateral;
    signal input bounds[3];
    signal input maintenance[4];
    signal input initial[4];
    signal input worstLong;
    signal input worstShort;
    signal input x;
    signal input side;
    signal input tier[2];
    signal output newX;
    signal output newSide;
    signal output gone;
    signal output falls;
    signal output newClass;
    signal output maintenanceBefore;
    signal output maintenanceAfter;
    signal output initialBefore;
    signal output initialAfter;
    signal output worstBefore;
    signal output worstAfter;
    signal output over[3];          // tier bounds that x' exceeds

    signal signedX <== x - 2 * side * x;
    newSide <-- signedX + moved < 0 ? 1 : 0;            // fixed by the range of newX and the rule for 0
    newSide * (newSide - 1) === 0;
    newX <== (1 - 2 * newSide) * (signedX + moved);
    component range = Num2Bits(BITS_MAGNITUDE());
    range.in <== newX;
    gone <== IsZero()(newX);
    newSide * gone === 0;
    collateral * newSide === 0;
    falls <== IsZero()(newX - x + posted);

    over <== Tier()(newX, bounds);
    newClass <== (1 - gone) * (8 * instrument + 2 * (over[0] + over[1] + over[2]) + newSide);
    signal both <== tier[0] * tier[1];
    maintenanceBefore <== StoredCharge()(x, tier, both, maintenance);
    initialBefore <== StoredCharge()(x, tier, both, initial);
    maintenanceAfter <== Charge()(newX, over, maintenance);
    initialAfter <== Charge()(newX, over, initial);
    signal unitBefore <== side * (worstShort - worstLong);
    signal unitAfter <== newSide * (worstShort - worstLong);
    worstBefore <== x * (worstLong + unitBefore);
    worstAfter <== newX * (worstLong + unitAfter);
}

// One step more on side `towards`: its signed size `step`, and the maintenance charge of the holding then.
// x'' = x' + 1 on the same side or from 0, x' - 1 on the other. Widths: x'' <= 2^48; `full` where it is that, which no holding can be.
template OneStep() {
    signal input x;
    signal input side;
    signal input gone;
    signal input over[3];
    signal input towards;
    signal input bounds[3];
    signal input maintenance[4];
    signal output charge;
    signal output full;
    signal differ <== side + towards - 2 * side * towards;
    signal shrinks <== (1 - gone) * differ;
    signal largest <== IsZero()(x - (1 << BITS_MAGNITUDE()) + 1);
    full <== largest * (1 - shrinks);
    signal next[3] <== TierNext()(x, shrinks, bounds, over);
    charge <== Charge()(x + 1 - 2 * shrinks, next, maintenance);
}
