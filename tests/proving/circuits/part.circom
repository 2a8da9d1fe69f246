// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// Square of a number that is not 3; the assertion is one of the witness generator only.
template Square() {
    signal input in;
    signal output out;
    assert(in != 3);
    out <== in * in;
}
