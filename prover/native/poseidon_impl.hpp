// SPDX-License-Identifier: GPL-3.0-or-later
// The permutation, one hash at a time. Matrix rows are sums of products reduced once.
#pragma once
#include "field.hpp"
#include "poseidon.hpp"
#if ZKM_IFMA
#include "ifma_kernels.hpp"
#endif

namespace zkm::ZKM_ARCH {

inline Fr fifth_power(const Fr& x) {
    const Fr square = x * x;
    return square * square * x;
}

inline Fr dot(const Limbs* row, const Fr* state, int t) {
    ProductSum<ScalarField> sum;
    for (int j = 0; j < t; j++) sum.add(Fr::wrap(row[j]), state[j]);
    return sum.reduced();
}

inline void full_round(const Limbs* constants, const Limbs* matrix, Fr* state, int t) {
    Fr boxed[POSEIDON_MAX_WIDTH];
    for (int i = 0; i < t; i++) boxed[i] = fifth_power(state[i]) + Fr::wrap(constants[i]);
    for (int i = 0; i < t; i++) state[i] = dot(matrix + i * t, boxed, t);
}

// Inputs: t - 1 canonical words; result: one canonical word.
inline void poseidon_one(const PoseidonTable& table, const u8* in, u8* out) {
    const int t = table.t;
    Fr state[POSEIDON_MAX_WIDTH];
    state[0] = Fr::wrap(table.before[0]);
    for (int i = 1; i < t; i++)
        state[i] = Fr::from_canonical(load_limbs(in + 32 * (i - 1))) + Fr::wrap(table.before[i]);
    for (int r = 1; r <= 4; r++) full_round(&table.before[r * t], r < 4 ? table.mds.data() : table.pre.data(), state, t);
    for (int k = 0; k < table.partial_rounds; k++) {
        const Limbs* column = &table.columns[k * (t - 1)];
        state[0] = fifth_power(state[0]) + Fr::wrap(table.partial[k]);
        const Fr first = dot(&table.rows[k * t], state, t);
        for (int j = 1; j < t; j++) state[j] = state[j] + Fr::wrap(column[j - 1]) * state[0];
        state[0] = first;
    }
    for (int r = 0; r < 3; r++) full_round(&table.after[r * t], table.mds.data(), state, t);
    for (int i = 0; i < t; i++) state[i] = fifth_power(state[i]);
    const Limbs result = dot(table.mds.data(), state, t).canonical();
    std::memcpy(out, &result, 32);
}

inline void poseidon_batch(const PoseidonTable& table, const u8* in, size_t count, u8* out) {
    const size_t block = 32 * (size_t)(table.t - 1);
    size_t i = 0;
#if ZKM_IFMA
    for (; i + 8 <= count; i += 8)
        ifma52::poseidon_eight(table.wide.data(), table.t, table.partial_rounds, in + i * block, out + 32 * i);
#endif
    for (; i < count; i++) poseidon_one(table, in + i * block, out + 32 * i);
}

}  // namespace zkm::ZKM_ARCH
