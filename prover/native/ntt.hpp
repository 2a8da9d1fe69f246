// SPDX-License-Identifier: GPL-3.0-or-later
// From a polynomial's values on a subgroup of order 2^k to its values on the coset shifted by the root of order 2^(k+1).
#pragma once
#include <cstdlib>
#include <memory>
#include <new>

#include "domain.hpp"
#if ZKM_IFMA
#include "ifma_kernels.hpp"
#endif

namespace zkm::ZKM_ARCH {

class CosetShift {
public:
    CosetShift(int log_size, int threads) : size_(size_t{1} << log_size) {
        roots_.resize(size_);  // level with half-size h: w^0 .. w^(h-1) at roots_[h..2h), w of order 2h
        for (size_t h = 1, level = 1; h < size_; h *= 2, level++) {
            const std::vector<Fr> w = powers(Fr::one(), root_of_unity(static_cast<int>(level)), h, threads);
            std::copy(w.begin(), w.end(), roots_.begin() + h);
        }
        const std::vector<Fr> shift =
            powers(Fr::from_u64(size_).inverse(), root_of_unity(log_size + 1), size_, threads);
        shift_.resize(size_);
        for (size_t i = 0; i < size_; i++) {
            size_t reversed = 0;
            for (int b = 0; b < log_size; b++) reversed |= (i >> b & 1) << (log_size - 1 - b);
#if ZKM_IFMA
            if (size_ >= LEAST) {  // there place `reversed` holds coefficient -i
                shift_[ifma52::shift_position(reversed)] = shift[(size_ - i) % size_];
                continue;
            }
#endif
            shift_[reversed] = shift[i];
        }
#if ZKM_IFMA
        if (size_ >= LEAST) {
            const Limbs factor = power_of_two(ScalarField::p, 264);
            root_blocks_ = new_blocks();
            shift_blocks_ = new_blocks();
            ifma52::load_blocks(roots_.data(), size_, &factor, root_blocks_.get());
            ifma52::load_blocks(shift_.data(), size_, &factor, shift_blocks_.get());
            roots_ = {};
            shift_ = {};
        }
#endif
    }

    // In place. The coefficients in between stand in bit-reversed order, so nothing is ever permuted.
    void apply(Fr* a) const {
#if ZKM_IFMA
        if (size_ >= LEAST) {
            const Blocks data = new_blocks();
            ifma52::load_blocks(a, size_, nullptr, data.get());
            ifma52::coset_shift(data.get(), size_, root_blocks_.get(), shift_blocks_.get());
            ifma52::store_reversed(data.get(), size_, a);
            return;
        }
#endif
        to_coefficients(a, size_);
        for (size_t i = 0; i < size_; i++) a[i] = a[i] * shift_[i];
        to_values(a, size_);
    }

private:
    static constexpr size_t BLOCK = size_t{1} << 13;  // fits the second-level cache

    // Decimation in frequency with the inverse roots, w^-j = -w^(h-j); without the factor 1/size.
    void to_coefficients(Fr* a, size_t n) const {
        if (n > BLOCK) {
            difference_layer(a, n / 2);
            to_coefficients(a, n / 2);
            to_coefficients(a + n / 2, n / 2);
            return;
        }
        for (size_t h = n / 2; h >= 1; h /= 2)
            for (size_t i = 0; i < n; i += 2 * h) difference_layer(a + i, h);
    }

    void difference_layer(Fr* a, size_t h) const {
        const Fr* w = &roots_[h];
        const Fr first = a[0] - a[h];
        a[0] = a[0] + a[h];
        a[h] = first;
        for (size_t j = 1; j < h; j++) {
            const Fr u = a[j], v = a[j + h];
            a[j] = u + v;
            a[j + h] = (v - u) * w[h - j];
        }
    }

    // Decimation in time.
    void to_values(Fr* a, size_t n) const {
        if (n > BLOCK) {
            to_values(a, n / 2);
            to_values(a + n / 2, n / 2);
            sum_layer(a, n / 2);
            return;
        }
        for (size_t h = 1; h < n; h *= 2)
            for (size_t i = 0; i < n; i += 2 * h) sum_layer(a + i, h);
    }

    void sum_layer(Fr* a, size_t h) const {
        const Fr* w = &roots_[h];
        for (size_t j = 0; j < h; j++) {
            const Fr u = a[j], v = a[j + h] * w[j];
            a[j] = u + v;
            a[j + h] = u - v;
        }
    }

    size_t size_;
    std::vector<Fr> roots_, shift_;

#if ZKM_IFMA
    static constexpr size_t LEAST = 64;
    using Blocks = std::unique_ptr<void, void (*)(void*)>;
    Blocks new_blocks() const {
        Blocks blocks(std::aligned_alloc(64, ifma52::block_bytes(size_)), std::free);
        if (!blocks) throw std::bad_alloc();
        return blocks;
    }
    Blocks root_blocks_{nullptr, std::free}, shift_blocks_{nullptr, std::free};
#endif
};

}  // namespace zkm::ZKM_ARCH
