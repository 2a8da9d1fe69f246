// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "lib/poseidon.circom";

// The hashes of the ledger, from the leaf up (SPEC section 3); inner nodes stand in merkle.circom.

// The hash of an account leaf. NOTE: meta and slots are packings of ranged fields, the caller's.
template LeafHash() {
    var P = HOLDINGS();
    signal input owner;
    signal input meta;
    signal input balance;
    signal input slots;
    signal input x[P];
    signal output out;
    component hash = PoseidonV(4 + P);
    hash.inputs[0] <== owner;
    hash.inputs[1] <== meta;
    hash.inputs[2] <== balance;
    hash.inputs[3] <== slots;
    for (var j = 0; j < P; j++) { hash.inputs[4 + j] <== x[j]; }
    out <== hash.out;
}

// The hash of a page's header.
template PageHeader() {
    signal input pageRoot;
    signal input anchor;
    signal input radius;
    signal output out;
    component hash = PoseidonV(4);
    hash.inputs[0] <== TAG_PAGE();
    hash.inputs[1] <== pageRoot;
    hash.inputs[2] <== anchor;
    hash.inputs[3] <== radius;
    out <== hash.out;
}

// The hash of a block's header, over the root of the tree of its pages' headers.
template BlockHeader() {
    signal input blockRoot;
    signal input anchor;
    signal input radius;
    signal output out;
    component hash = PoseidonV(4);
    hash.inputs[0] <== TAG_BLOCK();
    hash.inputs[1] <== blockRoot;
    hash.inputs[2] <== anchor;
    hash.inputs[3] <== radius;
    out <== hash.out;
}

template LedgerRoot() {
    signal input pagesRoot;
    signal input reserve;
    signal input nextId;
    signal input consumed;
    signal output out;
    component hash = PoseidonV(8);
    hash.inputs[0] <== TAG_LEDGER();
    hash.inputs[1] <== pagesRoot;
    hash.inputs[2] <== reserve;
    hash.inputs[3] <== nextId;
    hash.inputs[4] <== consumed;
    for (var i = 5; i < 8; i++) { hash.inputs[i] <== 0; }
    out <== hash.out;
}

// The hash of a block of 8^levels empty pages, all headers cleared.
function emptyBlock(levels) {
    var at[5] = [EMPTY_BLOCK_0(), EMPTY_BLOCK_1(), EMPTY_BLOCK_2(), EMPTY_BLOCK_3(), EMPTY_BLOCK_4()];
    return at[levels];
}
