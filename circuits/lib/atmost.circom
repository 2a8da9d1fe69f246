// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.1.6;

// N <= c, or slack is not 0. N has n signed digits: digit i is `unit` where bit i of N is 1, -unit where it is 0.
// With flip = 1 the digits' signs are turned, so that the statement is about 2^n - 1 - N instead.
// N > c exactly if somewhere c has a 0 and N a 1, and N has a 1 wherever c has one above that place. So for each run of zeros in c:
// if N has a 1 in it, then N lacks some 1 of c above it. `seen` counts N's ones in the run, `missing` the lacking ones, both times 2 unit;
// seen is a multiple of missing. Attack: any number that differs above c's run: where missing = 0 no ratio makes seen other than 0.
// NOTE: unit != 0, digits are unit or -unit, slack is unit times one of 0 .. 2^32; the counts can't wrap.
template AtMost(n, c, flip) {
    signal input digit[n];
    signal input unit;
    signal input slack;
    signal ratio[n];
    var sign = flip == 1 ? -1 : 1;
    var missing = 2 * slack;
    var seen = 0;
    for (var i = n - 1; i >= 0; i--) {
        if (((c >> i) & 1) == 1) {
            missing += unit - sign * digit[i];
            ratio[i] <== 0;
        } else {
            seen += unit + sign * digit[i];
            var ends = 1;
            if (i > 0) { ends = (c >> (i - 1)) & 1; }
            if (ends == 1) {
                ratio[i] <-- missing == 0 ? 0 : seen / missing;     // fixed by the next line, or free where nothing is seen
                ratio[i] * missing === seen;
                seen = 0;
            } else {
                ratio[i] <== 0;
            }
        }
    }
}
