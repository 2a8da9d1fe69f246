// SPDX-License-Identifier: GPL-3.0-or-later
// Many independent additions of affine points at six multiplications each: their slopes' denominators are inverted
// together (Montgomery's trick), so the one inversion is shared by a whole batch.
#pragma once
#include <vector>

#include "curve.hpp"

namespace zkm::ZKM_ARCH {

template <class F>
class PairAdder {
public:
    static constexpr size_t BATCH = 1024;

    PairAdder() : left_(BATCH), right_(BATCH), out_(BATCH), denominator_(BATCH), prefix_(BATCH) {}

    // *out = a + b, at the latest after flush(). `out` must stay valid and unread until then; a, b are copied.
    inline void push(const Affine<F>& a, const Affine<F>& b, Affine<F>* out) {
        left_[size_] = a;
        right_[size_] = b;
        out_[size_] = out;
        if (++size_ == BATCH) flush();
    }

    void flush() {
        F product = F::one();
        for (size_t i = 0; i < size_; i++) {
            const Affine<F>&a = left_[i], &b = right_[i];
            F d = b.x - a.x;
            if (d.is_zero()) d = a.y.dbl();  // doubling, if anything
            if (d.is_zero() || a.is_infinity() || b.is_infinity()) d = F::one();
            denominator_[i] = d;
            prefix_[i] = product;
            product = product * d;
        }
        F inverse = product.inverse();
        for (size_t i = size_; i-- > 0;) {
            const F reciprocal = inverse * prefix_[i];
            inverse = inverse * denominator_[i];
            *out_[i] = sum(left_[i], right_[i], reciprocal);
        }
        size_ = 0;
    }

private:
    static inline Affine<F> sum(const Affine<F>& a, const Affine<F>& b, const F& reciprocal) {
        F rise;
        if (a.is_infinity()) return b;
        if (b.is_infinity()) return a;
        if (a.x == b.x) {
            if (!(a.y == b.y) || a.y.is_zero()) return Affine<F>::infinity();
            const F xx = a.x.sqr();
            rise = xx.dbl() + xx;
        } else {
            rise = b.y - a.y;
        }
        const F slope = rise * reciprocal;
        const F x = slope.sqr() - a.x - b.x;
        return {x, slope * (a.x - x) - a.y};
    }

    std::vector<Affine<F>> left_, right_;
    std::vector<Affine<F>*> out_;
    std::vector<F> denominator_, prefix_;
    size_t size_ = 0;
};

}  // namespace zkm::ZKM_ARCH
