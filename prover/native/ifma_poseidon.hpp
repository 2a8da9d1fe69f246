// SPDX-License-Identifier: GPL-3.0-or-later
// Eight Poseidon permutations side by side. Included by ifma_kernels.cpp.
//
// Bounds, in multiples of p: a matrix row over a full round's output stays below 2. In the partial rounds elements 1..
// grow by at most 1.03 a round without being reduced, to below 2 + 70 * 1.03 < 75; 84.7 p is 2^260. A row over them is
// below 17 * 75 * 0.0118 + 1 < 17, and the fifth power of anything below 75 is below 42.
#pragma once

namespace zkm::ifma52 {

using Fr8 = E<ScalarField>;

inline Fr8 fifth_power(const Fr8& x) {
    const Fr8 square = x * x;
    return square * square * x;
}

// Eight hashes' words j and, if there is one, j + 1.
inline void load_words(const u8* in, int width, int j, Fr8* out) {
    const __mmask8 lanes = j + 1 < width ? 0xff : 0x0f;
    V r[8];
    for (int i = 0; i < 8; i++) r[i] = _mm512_maskz_loadu_epi64(lanes, in + 32 * (i * width + j));
    transpose(r);
    const Fr8 to_montgomery = Fr8::constant(split(power_of_two(ScalarField::p, 520)));
    out[0] = Fr8::unpack(r) * to_montgomery;
    if (j + 1 < width) out[1] = Fr8::unpack(r + 4) * to_montgomery;
}

inline Fr8 dot(const u64* row, const Fr8* state, int t) {
    Columns<ScalarField> columns;
    for (int j = 0; j < t; j++) columns.add(state[j], row + 5 * j);
    return columns.reduced();
}

inline Fr8 plus_constant(const Fr8& x, const u64* constant) {
    Fr8 r;
    for (int i = 0; i < 5; i++) r.l[i] = _mm512_add_epi64(x.l[i], set1(constant[i]));
    return r.normalise();
}

inline void full_round(const u64* constants, const u64* matrix, Fr8* state, int t) {
    Fr8 boxed[POSEIDON_MAX_WIDTH];
    for (int i = 0; i < t; i++) boxed[i] = plus_constant(fifth_power(state[i]), constants + 5 * i);
    for (int i = 0; i < t; i++) state[i] = dot(matrix + 5 * i * t, boxed, t);
}

// Constants in the order of PoseidonTable, five limbs each.
void poseidon_eight(const u64* constants, int t, int partial_rounds, const u8* in, u8* out) {
    const u64* const before = constants;
    const u64* const pre = before + 5 * 5 * t;
    const u64* const partial = pre + 5 * t * t;
    const u64* const rows = partial + 5 * partial_rounds;
    const u64* const columns = rows + 5 * partial_rounds * t;
    const u64* const after = columns + 5 * partial_rounds * (t - 1);
    const u64* const mds = after + 5 * 3 * t;

    Fr8 state[POSEIDON_MAX_WIDTH];
    state[0] = Fr8::constant(Limbs52{});
    for (int j = 0; j + 1 < t; j += 2) load_words(in, t - 1, j, state + 1 + j);
    for (int i = 0; i < t; i++) state[i] = plus_constant(state[i], before + 5 * i);
    for (int r = 1; r <= 4; r++) full_round(before + 5 * r * t, r < 4 ? mds : pre, state, t);
    for (int k = 0; k < partial_rounds; k++) {
        state[0] = plus_constant(fifth_power(state[0]), partial + 5 * k);
        const Fr8 first = dot(rows + 5 * k * t, state, t);
        for (int j = 1; j < t; j++) {
            Columns<ScalarField> product;
            product.add(state[0], columns + 5 * (k * (t - 1) + j - 1));
            state[j] = state[j].plus(product.reduced());
        }
        state[0] = first;
    }
    for (int r = 0; r < 3; r++) full_round(after + 5 * r * t, mds, state, t);
    for (int i = 0; i < t; i++) state[i] = fifth_power(state[i]);
    const u64 one[5] = {1, 0, 0, 0, 0};
    Columns<ScalarField> plain;
    plain.add(dot(mds, state, t), one);
    V r[8] = {};
    plain.reduced().canonical().pack(r);
    transpose(r);
    for (int i = 0; i < 8; i++) _mm512_mask_storeu_epi64(out + 32 * i, 0x0f, r[i]);
}

}  // namespace zkm::ifma52
