// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/quotient.circom";
include "lib/shift.circom";
include "lib/sign.circom";

// What closing costs (SPEC section 4, liquidate): rho = min(penalty_rate, floor(2^32*max(E,0)/M)), 0 when M = 0; penalty = floor(rho*R/2^32)
// for the size closed and for one step less; reward = floor(bidder_share*penalty/2^32), for liquidations only. All 0 elsewhere.
// Attacks: a larger or smaller penalty than the rule's (a quotient is fixed by the range of its remainder); a penalty out of negative
// equity (max(E,0) comes from a ranged sign); division by M = 0 (the divisor is then 1; E < M = 0, so the dividend is 0).
// Widths: 0 <= max(E,0) < M < 2^116 where closing, so rho < 2^32; 0 <= R <= M (charges fall with the size), rho*R < 2^148, penalty < 2^116;
// bidder_share <= 2^32, reward < 2^116; penalty_rate < 2^33 (parameters), so |penalty_rate - quotient| < 2^34.
template Penalty() {
    signal input liquidates;
    signal input equity;            // E of a victim, 0 for others
    signal input equityPositive;    // E > 0
    signal input divisor;           // M of a victim or 1 if that is 0, 1 for others
    signal input released;
    signal input releasedTrial;
    signal input penaltyRate;
    signal input bidderShare;
    signal output penalty;
    signal output penaltyTrial;
    signal output reward;

    signal dividend <== equity * equityPositive;
    component quotient = FloorDivide(32, 117);
    quotient.dividend <== dividend * (1 << 32);
    quotient.divisor <== divisor;
    signal below <== NonNegative(34)(penaltyRate - quotient.out);
    signal rho <== penaltyRate + below * (quotient.out - penaltyRate);

    penalty <== MulShift(117)(rho, released);
    penaltyTrial <== MulShift(117)(rho, releasedTrial);
    signal share <== liquidates * bidderShare;
    reward <== MulShift(117)(share, penalty);
}
