// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/poseidon.circom";

// One level of an 8-ary path, read and rewritten: the node over children with `before` at position `bits`, and the node
// with `after` in its place. The attack: a child that isn't `before` is replaced; stopped by the sum over the one-hot position.
// @input bits {3 booleans, checked by the caller}
template Level() {
    signal input bits[3];
    signal input children[8];
    signal input before;
    signal input after;
    signal output nodeBefore;
    signal output nodeAfter;

    signal low[4];
    low[3] <== bits[0] * bits[1];
    low[1] <== bits[0] - low[3];
    low[2] <== bits[1] - low[3];
    low[0] <== 1 - bits[0] - bits[1] + low[3];
    signal hot[8];
    signal here[8];
    component old = PoseidonV(8);
    component new = PoseidonV(8);
    var found = 0;
    for (var i = 0; i < 8; i++) {
        if (i >= 4) { hot[i] <== low[i - 4] * bits[2]; } else { hot[i] <== low[i] * (1 - bits[2]); }
        here[i] <== hot[i] * children[i];
        found += here[i];
        old.inputs[i] <== children[i];
        new.inputs[i] <== children[i] + hot[i] * (after - before);
    }
    found === before;
    nodeBefore <== old.out;
    nodeAfter <== new.out;
}
