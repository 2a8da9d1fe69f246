// SPDX-License-Identifier: GPL-3.0-or-later
// The signs of one functional for a whole book of accounts, certified: prover/zkmargin/engine/book.py has the error bound.
#pragma once
#include <cmath>
#include <cstddef>

#include "limbs.hpp"

namespace zkm {

constexpr size_t BOOK_SLOTS = 12;
constexpr size_t BOOK_CLASSES = 1 << 16;  // all that a class of 16 bits can name: no row reads past a table of so many
constexpr double BOOK_DOUBT = 0x1p-48;

enum class Sign : u8 { not_negative = 0, negative = 1, unsure = 2 };

// Row i has balances[i], and in slot j sizes[j * rows + i] of class classes[j * rows + i]; units has BOOK_CLASSES entries, NaN for a class that
// there is not: a row with one is unsure. Terms are summed as three chains, so that one addition need not wait for the last.
inline void book_signs(const double* balances, const u16* classes, const double* sizes, size_t rows, const double* units, double weight, Sign* out) {
    for (size_t i = 0; i < rows; i++) {
        const double cash = balances[i] * weight;
        double sum[3] = {cash, 0, 0}, scale[3] = {std::fabs(cash), 0, 0};
        for (size_t j = 0; j < BOOK_SLOTS; j++) {
            const size_t at = j * rows + i;
            const double term = units[classes[at]] * sizes[at];
            sum[j % 3] += term;
            scale[j % 3] += std::fabs(term);
        }
        const double value = sum[0] + sum[1] + sum[2], total = scale[0] + scale[1] + scale[2];
        if (std::fabs(value) > total * BOOK_DOUBT)
            out[i] = value < 0 ? Sign::negative : Sign::not_negative;
        else
            out[i] = total == 0 ? Sign::not_negative : Sign::unsure;  // with a scale of 0 all terms are 0
    }
}

}  // namespace zkm
