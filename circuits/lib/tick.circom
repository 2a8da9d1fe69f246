// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/sponge.circom";

// The hash of a tick (SPEC section 3) over its public state. Rows: flags, mark, F, bounds 3, e, ewl, ews, m 4, iw 4.
// The moves are given as the digest of their section: few circuits read them.
template TickHash(instruments) {
    var FIELDS = 17;
    signal input slot;
    signal input time;
    signal input tau;
    signal input penaltyRate;
    signal input bidderShare;
    signal input rows[instruments][FIELDS];
    signal input moves;
    signal output out;

    component equity = Sponge(TAG_PRICES(), instruments);
    component maintenance = Sponge(TAG_MAINTENANCE(), 4 * instruments);
    component initial = Sponge(TAG_INITIAL(), 6 * instruments);
    component trading = Sponge(TAG_TRADING(), 6 * instruments);
    for (var k = 0; k < instruments; k++) {
        equity.d[k] <== rows[k][6];
        for (var t = 0; t < 4; t++) {
            maintenance.d[4*k + t] <== rows[k][9 + t];
            initial.d[6*k + 2 + t] <== rows[k][13 + t];
        }
        initial.d[6*k] <== rows[k][7];
        initial.d[6*k + 1] <== rows[k][8];
        for (var f = 0; f < 6; f++) { trading.d[6*k + f] <== rows[k][f]; }
    }
    component top = TickTop();
    top.slot <== slot;
    top.time <== time;
    top.tau <== tau;
    top.penaltyRate <== penaltyRate;
    top.bidderShare <== bidderShare;
    top.sections[0] <== equity.out;
    top.sections[1] <== maintenance.out;
    top.sections[2] <== initial.out;
    top.sections[3] <== trading.out;
    top.sections[4] <== moves;
    out <== top.out;
}

// The top of a tick's hash over its clock, risk rates and section digests. NOTE: slot < 2^32 is the caller's.
template TickTop() {
    signal input slot;
    signal input time;
    signal input tau;
    signal input penaltyRate;
    signal input bidderShare;
    signal input sections[5];            // equity, maintenance, initial, trading, moves
    signal output out;
    component risk = PoseidonV(4);
    risk.inputs[0] <== TAG_RISK();
    risk.inputs[1] <== tau;
    risk.inputs[2] <== penaltyRate;
    risk.inputs[3] <== bidderShare;
    out <== TickRoot()(slot + time * (1 << 32), risk.out, sections);
}

// ... over what the caller need not open.
template TickRoot() {
    signal input clock;
    signal input risk;
    signal input sections[5];
    signal output out;
    component top = PoseidonV(8);
    top.inputs[0] <== TAG_TICK();
    top.inputs[1] <== clock;
    top.inputs[2] <== risk;
    for (var i = 0; i < 5; i++) { top.inputs[3 + i] <== sections[i]; }
    out <== top.out;
}

// What margin health reads of a tick: per instrument the equity value e, the maintenance charges m and the move w.
// The other sections, the clock and the risk rates stay closed.
template MarginTable(instruments) {
    var T = TIERS();
    signal input clock;
    signal input risk;
    signal input initial;
    signal input trading;
    signal input equity[instruments];
    signal input maintenance[instruments][T];
    signal input moves[instruments];
    signal output out;

    component equityHash = Sponge(TAG_PRICES(), instruments);
    component maintenanceHash = Sponge(TAG_MAINTENANCE(), T * instruments);
    component movesHash = Sponge(TAG_MOVES(), instruments);
    equityHash.d <== equity;
    movesHash.d <== moves;
    for (var k = 0; k < instruments; k++) {
        for (var t = 0; t < T; t++) { maintenanceHash.d[T*k + t] <== maintenance[k][t]; }
    }
    out <== TickRoot()(clock, risk, [equityHash.out, maintenanceHash.out, initial, trading, movesHash.out]);
}
