// SPDX-License-Identifier: GPL-3.0-or-later
// Scalars as signed digits of a few bits: half the buckets, as a point's negative costs nothing.
#pragma once
#include <vector>

#include "limbs.hpp"
#include "parallel.hpp"

namespace zkm {

// Digits of k in [-2^(bits-1), 2^(bits-1)), lowest first, for k below the group's order. No carry leaves the last
// window: at most bits - 1 bits of k reach it, and the order is below 0.76 * 2^254.
class SignedDigits {
public:
    SignedDigits(const Limbs& k, int bits) : k_(k), bits_(bits) {}
    static int windows(int bits) { return 254 / bits + 1; }
    inline int next() {
        const int limb = at_ >> 6, shift = at_ & 63;
        u64 x = limb < 4 ? k_.v[limb] >> shift : 0;
        if (shift + bits_ > 64 && limb < 3) x |= k_.v[limb + 1] << (64 - shift);
        at_ += bits_;
        const int d = static_cast<int>(x & ((u64{1} << bits_) - 1)) + carry_;
        carry_ = d >= 1 << (bits_ - 1);
        return carry_ ? d - (1 << bits_) : d;
    }

private:
    Limbs k_;
    int bits_, at_ = 0, carry_ = 0;
};

// The digits of many scalars, window by window. bits <= 16.
class DigitTable {
public:
    DigitTable(const Limbs* scalars, size_t count, int bits, int threads)
        : bits(bits), windows(SignedDigits::windows(bits)), count_(count), digits_((size_t)windows * count) {
        parallel_ranges(count, 4096, threads, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; i++) {
                SignedDigits digits(scalars[i], bits);
                for (int w = 0; w < windows; w++) digits_[(size_t)w * count_ + i] = static_cast<int16_t>(digits.next());
            }
        });
    }
    const int16_t* window(int w) const { return digits_.data() + (size_t)w * count_; }

    const int bits, windows;

private:
    size_t count_;
    std::vector<int16_t> digits_;
};

inline int bit_length(const Limbs& x) {
    for (int i = 3; i >= 0; i--)
        if (x.v[i]) return 64 * i + 64 - __builtin_clzll(x.v[i]);
    return 0;
}

// The digit width with the fewest additions for these scalars: one a non-zero digit, `bucket_cost` a bucket and window.
inline int choose_bits(const Limbs* scalars, size_t count, double bucket_cost) {
    std::vector<size_t> lengths(257, 0);
    for (size_t i = 0; i < count; i++) lengths[bit_length(scalars[i])]++;
    int best = 2;
    double least = 1e300;
    for (int bits = 2; bits <= 16; bits++) {
        double cost = bucket_cost * SignedDigits::windows(bits) * (1 << (bits - 1));
        for (int length = 1; length <= 254; length++) cost += (double)lengths[length] * (length / bits + 1);
        if (cost < least) least = cost, best = bits;
    }
    return best;
}

}  // namespace zkm
