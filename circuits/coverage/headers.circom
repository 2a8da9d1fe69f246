// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "lib/poseidon.circom";
include "sweep/page.circom";

// 8^levels neighbouring headers, of pages or of blocks, as `tag` says, under one root. Each is empty and cleared (the constant `empty`), or
// anchored at one of the opened ticks with a radius that is at least the tick's displacement: then every account beneath it is
// healthy at the present tick (SPEC section 8). Nothing is displaced since the present tick itself.
// Attacks: an anchor that is not the header's, anchor 0 (no tick hashes to 0; the header's hash binds the anchor), a negative difference
// (ranged to the 24 bits of a radius), a header said to be empty (its hash is the constant).
// Widths: a radius was ranged to 24 bits when it was written, a displacement is in Displacement: the difference is above -2^24.
template Headers(levels, anchors, tag, empty) {
    var n = 1;
    for (var l = 0; l < levels; l++) { n = n * 8; }
    signal input tick[1 + anchors];
    signal input displacement[anchors];
    signal input under[n];                      // root of the page, or of the block
    signal input radius[n];
    signal input at[n][1 + anchors];            // the tick it is anchored at; none where it is empty
    signal output anchored[n];
    signal output spare[n];                     // radius less displacement; 0 where it is empty
    signal output root;

    component headers = PageTree(n);
    component header[n];
    component margin[n];
    signal anchorPart[n][1 + anchors];
    signal movedPart[n][anchors];
    signal held[n];
    for (var i = 0; i < n; i++) {
        var some = 0;
        var anchor = 0;
        var d = 0;
        for (var a = 0; a <= anchors; a++) {
            at[i][a] * (at[i][a] - 1) === 0;
            anchorPart[i][a] <== at[i][a] * tick[a];
            some += at[i][a];
            anchor += anchorPart[i][a];
            if (a > 0) {
                movedPart[i][a - 1] <== at[i][a] * displacement[a - 1];
                d += movedPart[i][a - 1];
            }
        }
        some * (some - 1) === 0;
        anchored[i] <== some;
        held[i] <== some * radius[i];
        margin[i] = Num2Bits(BITS_RADIUS());
        spare[i] <== held[i] - d;
        margin[i].in <== spare[i];
        header[i] = PoseidonV(4);
        header[i].inputs[0] <== tag;
        header[i].inputs[1] <== under[i];
        header[i].inputs[2] <== anchor;
        header[i].inputs[3] <== held[i];
        headers.leaves[i] <== empty + some * (header[i].out - empty);
    }
    root <== headers.root;
}
