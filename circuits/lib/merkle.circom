// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "lib/poseidon.circom";

// One-hot of a position in 0 .. 7. @input bits {3 booleans, checked by the caller}
template Position8() {
    signal input bits[3];
    signal output hot[8];
    signal low[4];
    low[3] <== bits[0] * bits[1];
    low[1] <== bits[0] - low[3];
    low[2] <== bits[1] - low[3];
    low[0] <== 1 - bits[0] - bits[1] + low[3];
    for (var i = 0; i < 8; i++) {
        if (i >= 4) { hot[i] <== low[i - 4] * bits[2]; } else { hot[i] <== low[i] * (1 - bits[2]); }
    }
}

// One level of an 8-ary path: the node over children with `child` at position `bits`.
template Node() {
    signal input bits[3];
    signal input children[8];
    signal input child;
    signal output hot[8];
    signal output out;
    hot <== Position8()(bits);
    signal here[8];
    component hash = PoseidonV(8);
    var found = 0;
    for (var i = 0; i < 8; i++) {
        here[i] <== hot[i] * children[i];
        found += here[i];
        hash.inputs[i] <== children[i];
    }
    found === child;
    out <== hash.out;
}

// One level of an 8-ary path, read and rewritten: the node over children with `before` at position `bits`, and the node
// with `after` in its place. The attack: a child that isn't `before` is replaced; stopped by the sum over the one-hot position.
template Level() {
    signal input bits[3];
    signal input children[8];
    signal input before;
    signal input after;
    signal output nodeBefore;
    signal output nodeAfter;

    component old = Node();
    old.bits <== bits;
    old.children <== children;
    old.child <== before;
    component new = PoseidonV(8);
    for (var i = 0; i < 8; i++) { new.inputs[i] <== children[i] + old.hot[i] * (after - before); }
    nodeBefore <== old.out;
    nodeAfter <== new.out;
}

// A leaf replaced in a tree of `levels` levels: the roots before and after, and the leaf's number.
template Climb(levels) {
    signal input bits[levels][3];
    signal input children[levels][8];
    signal input before;
    signal input after;
    signal output rootBefore;
    signal output rootAfter;
    signal output index;
    component level[levels];
    var sum = 0;
    for (var l = 0; l < levels; l++) {
        level[l] = Level();
        for (var b = 0; b < 3; b++) {
            bits[l][b] * (bits[l][b] - 1) === 0;
            sum += bits[l][b] * (1 << (3*l + b));
        }
        level[l].bits <== bits[l];
        level[l].children <== children[l];
        if (l == 0) {
            level[l].before <== before;
            level[l].after <== after;
        } else {
            level[l].before <== level[l - 1].nodeBefore;
            level[l].after <== level[l - 1].nodeAfter;
        }
    }
    index <== sum;
    rootBefore <== level[levels - 1].nodeBefore;
    rootAfter <== level[levels - 1].nodeAfter;
}
