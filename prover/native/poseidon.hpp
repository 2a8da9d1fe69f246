// SPDX-License-Identifier: GPL-3.0-or-later
// Poseidon tables: the factored constants that zkmargin.protocol.poseidon_constants derives, in Montgomery form.
#pragma once
#include <vector>

#include "limbs.hpp"

namespace zkm {

constexpr int POSEIDON_MAX_WIDTH = 17;  // state width t = inputs + 1

struct PoseidonTable {
    int t = 0, partial_rounds = 0;
    std::vector<Limbs> before;   // 5 x t: added to the inputs, then after the S-boxes of each full round
    std::vector<Limbs> pre;      // t x t: matrix of the fourth round
    std::vector<Limbs> partial;  // one a partial round
    std::vector<Limbs> rows;     // partial_rounds x t
    std::vector<Limbs> columns;  // partial_rounds x (t - 1)
    std::vector<Limbs> after;    // 3 x t
    std::vector<Limbs> mds;      // t x t
    std::vector<u64> wide;       // all of the above in this order, times 2^260 mod p, as five limbs of 52 bits

    static size_t words(int t, int partial_rounds) {
        return 5 * t + t * t + partial_rounds * (size_t)(2 * t) + 3 * t + t * t;
    }
};

}  // namespace zkm
