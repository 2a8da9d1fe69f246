// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

include "constants.circom";
include "bitify.circom";
include "comparators.circom";

// The slot an instrument uses, computed and never chosen: z marks the slot that holds it, else the first empty slot; all of z is 0 when
// neither is there or the instrument is 0. So whoever replays the touch from what is posted finds the same leaf, and "no room" can be proved.
// Attacks: a second slot for an instrument already held (a slot that holds it wins), a slot of another instrument overwritten, two
// slots that hold it (z would be 1 at both and -1 at the first empty one, and count as one: held is 0 or 1).
// NOTE: by induction over all leaves a slot is empty exactly when its instrument is 0, and at most one holds a given instrument.
template Place() {
    var P = HOLDINGS();
    signal input instrument;
    signal input isQuote;           // instrument = 0
    signal input inst[P];
    signal input class[P];
    signal input x[P];
    signal output empty[P];
    signal output z[P];
    signal output usable;           // 1 when z marks a slot
    signal output position;         // sum of z[j] * 2^(12 j)
    signal output classOf;
    signal output side;
    signal output tier[2];          // bits of the tier
    signal output size;

    signal holds[P];
    signal noneBefore[P + 1];       // no empty slot before j
    noneBefore[0] <== 1;
    var held = 0;
    for (var j = 0; j < P; j++) {
        empty[j] <== IsZero()(inst[j]);
        // For instrument 0 the comparison is with a number no instrument has: nothing holds it.
        holds[j] <== IsZero()(inst[j] - instrument - isQuote * (1 << BITS_CLASS_ID()));
        noneBefore[j + 1] <== noneBefore[j] * (1 - empty[j]);
        held += holds[j];
    }
    held * (held - 1) === 0;

    signal zx[P];
    signal zc[P];
    var count = 0;
    var shift = 0;
    var sumX = 0;
    var sumC = 0;
    for (var j = 0; j < P; j++) {
        z[j] <== (1 - held - isQuote) * (noneBefore[j] - noneBefore[j + 1]) + holds[j];
        zx[j] <== z[j] * x[j];
        zc[j] <== z[j] * class[j];
        count += z[j];
        shift += z[j] * (1 << (BITS_CLASS_ID() * j));
        sumX += zx[j];
        sumC += zc[j];
    }
    usable <== count;
    position <== shift;
    size <== sumX;
    classOf <== sumC;

    // class = instrument*8 + tier*2 + side where held; 0 in an empty slot.
    signal base <== held * instrument;
    component low = Num2Bits(3);
    low.in <== classOf - 8 * base;
    side <== low.out[0];
    tier[0] <== low.out[1];
    tier[1] <== low.out[2];
}
