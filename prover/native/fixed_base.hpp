// SPDX-License-Identifier: GPL-3.0-or-later
// Many multiples of one point: a table of its multiples by digit and window, and one addition a window and scalar.
#pragma once
#include <cstdlib>
#include <vector>

#include "digits.hpp"
#include "pair_adder.hpp"
#include "parallel.hpp"

namespace zkm::ZKM_ARCH {

template <class F>
class FixedBase {
public:
    FixedBase(const Affine<F>& base, int bits, int threads)
        : bits_(bits), windows_(SignedDigits::windows(bits)), row_(size_t{1} << (bits - 1)), table_(windows_ * row_) {
        Extended<F> power = Extended<F>::from(base);
        for (size_t w = 0; w < windows_; w++) {
            table_[w * row_] = power.affine();
            to_stored(&table_[w * row_], 1);
            for (int i = 0; i < bits_; i++) power = power.dbl();
        }
        parallel_for(windows_, threads, [&](size_t w) {
            PairAdder<F> adder;
            Affine<F>* row = &table_[w * row_];  // row[i] = (i + 1) * 2^(bits * w) * base
            for (size_t have = 1; have < row_; have *= 2) {
                for (size_t i = 0; i < have; i++) adder.push(signed_point(row[have - 1]), signed_point(row[i]), &row[have + i]);
                adder.flush();
            }
        });
    }

    // out[i] = scalars[i] * base for canonical scalars below the group's order.
    void multiply(const Limbs* scalars, size_t count, Affine<F>* out) const {
        std::vector<SignedDigits> digits;
        digits.reserve(count);
        for (size_t i = 0; i < count; i++) {
            digits.emplace_back(scalars[i], bits_);
            out[i] = Affine<F>::infinity();
        }
        PairAdder<F> adder;
        for (size_t w = 0; w < windows_; w++) {
            for (size_t i = 0; i < count; i++) {
                const int d = digits[i].next();
                if (d) {
                    const Affine<F>& entry = table_[w * row_ + static_cast<size_t>(std::abs(d)) - 1];
                    adder.push(signed_point(out[i]), signed_point(entry, d < 0), &out[i]);
                }
            }
            adder.flush();
        }
        from_stored(out, count);
    }

private:
    int bits_;
    size_t windows_, row_;
    std::vector<Affine<F>> table_;
};

}  // namespace zkm::ZKM_ARCH
