// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "coverage/displacement.circom";
include "lib/tick.circom";

// The present tick [0] and `anchors` older ones [1 ..], opened, and how far each of these is displaced by now. One not needed is the
// present tick again.
template Anchors(anchors, instruments) {
    signal input clock[1 + anchors];
    signal input risk[1 + anchors];
    signal input initial[1 + anchors];
    signal input trading[1 + anchors];
    signal input equity[1 + anchors][instruments];
    signal input maintenance[1 + anchors][instruments][4];
    signal input moves[1 + anchors][instruments];
    signal input displacement[anchors];
    signal input rise[anchors][instruments];
    signal output tick[1 + anchors];

    component table[1 + anchors];
    component moved[anchors];
    for (var i = 0; i <= anchors; i++) {
        table[i] = MarginTable(instruments);
        table[i].clock <== clock[i];
        table[i].risk <== risk[i];
        table[i].initial <== initial[i];
        table[i].trading <== trading[i];
        table[i].equity <== equity[i];
        table[i].maintenance <== maintenance[i];
        table[i].moves <== moves[i];
        tick[i] <== table[i].out;
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
}
