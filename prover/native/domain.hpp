// SPDX-License-Identifier: GPL-3.0-or-later
// Multiplicative subgroups of order 2^k of the scalar field, with snarkjs's choice of root: 5^((p-1) / 2^k).
#pragma once
#include <vector>

#include "field.hpp"
#include "parallel.hpp"

namespace zkm::ZKM_ARCH {

inline Fr root_of_unity(int log_size) {
    Limbs e = subtract_raw(ScalarField::p, Limbs{{1, 0, 0, 0}});
    for (int i = 0; i < log_size; i++) {
        for (int j = 0; j < 3; j++) e.v[j] = e.v[j] >> 1 | e.v[j + 1] << 63;
        e.v[3] >>= 1;
    }
    return Fr::from_u64(ScalarField::generator).pow(e);
}

// first, first * step, first * step^2, ...
inline std::vector<Fr> powers(const Fr& first, const Fr& step, size_t count, int threads) {
    std::vector<Fr> out(count);
    parallel_ranges(count, 1024, threads, [&](size_t begin, size_t end) {
        Fr x = first * step.pow(Limbs{{begin, 0, 0, 0}});
        for (size_t i = begin; i < end; i++, x = x * step) out[i] = x;
    });
    return out;
}

// Inverts every element in place; zero stays zero.
inline void invert_all(std::vector<Fr>& values, int threads) {
    parallel_ranges(values.size(), 1024, threads, [&](size_t begin, size_t end) {
        std::vector<Fr> prefix(end - begin);
        Fr product = Fr::one();
        for (size_t i = begin; i < end; i++) {
            prefix[i - begin] = product;
            if (!values[i].is_zero()) product = product * values[i];
        }
        Fr inverse = product.inverse();
        for (size_t i = end; i-- > begin;) {
            if (values[i].is_zero()) continue;
            const Fr own = inverse * prefix[i - begin];
            inverse = inverse * values[i];
            values[i] = own;
        }
    });
}

// Values at `at` of the Lagrange polynomials of the points shift * root^i, i < 2^log_size, where shift^(2^log_size) = c:
// (at^n - c) / (n c) * x_i / (at - x_i).
inline std::vector<Fr> lagrange_values(int log_size, const Fr& shift, const Fr& at, int threads) {
    const size_t n = size_t{1} << log_size;
    const Fr c = shift.pow(Limbs{{n, 0, 0, 0}});
    const Fr scale = (at.pow(Limbs{{n, 0, 0, 0}}) - c) * (c * Fr::from_u64(n)).inverse();
    const std::vector<Fr> points = powers(shift, root_of_unity(log_size), n, threads);
    std::vector<Fr> values(n);
    for (size_t i = 0; i < n; i++) values[i] = at - points[i];
    invert_all(values, threads);
    for (size_t i = 0; i < n; i++) values[i] = scale * points[i] * values[i];
    return values;
}

}  // namespace zkm::ZKM_ARCH
