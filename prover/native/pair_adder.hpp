// SPDX-License-Identifier: GPL-3.0-or-later
// Many independent additions of affine points at six multiplications each: their slopes' denominators are inverted
// together (Montgomery's trick), so the one inversion is shared by a whole batch.
//
// The points are in stored form: with IFMA, coordinates times 2^260, else the usual 2^256. to_stored() and from_stored()
// go between; negation and infinity are the same in both.
#pragma once
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "curve.hpp"
#if ZKM_IFMA
#include "ifma_kernels.hpp"
#endif

namespace zkm::ZKM_ARCH {

#if ZKM_IFMA

template <class F>
void to_stored(Affine<F>* points, size_t count) {
    ifma52::to_stored(reinterpret_cast<Limbs*>(points), count * sizeof(Affine<F>) / 32);
}
template <class F>
void from_stored(Affine<F>* points, size_t count) {
    ifma52::from_stored(reinterpret_cast<Limbs*>(points), count * sizeof(Affine<F>) / 32);
}

inline Fq times_256(const Fq& x) { return x * Fq::from_u64(256); }
inline Fq2 times_256(const Fq2& x) { return {times_256(x.a), times_256(x.b)}; }

template <class F>
class PairAdder {
public:
    static constexpr size_t BATCH = 2048 * sizeof(Fq) / sizeof(F);

    PairAdder()
        : left_(BATCH), right_(BATCH), out_(BATCH),
          scratch_(static_cast<u8*>(std::aligned_alloc(64, ifma52::scratch_bytes(G2, BATCH))), std::free) {
        if (!scratch_) throw std::bad_alloc();
    }

    // *out = a + b, at the latest after flush(). `out` must stay valid and unread until then; a, b are copied.
    inline void push(const Affine<F>& a, const Affine<F>& b, Affine<F>* out) {
        left_[size_] = a;
        right_[size_] = b;
        out_[size_] = out;
        if (++size_ == BATCH) flush();
    }

    void flush() {
        if (!size_) return;
        Affine<F> nowhere;
        for (; size_ % ifma52::LANES; size_++) {
            left_[size_] = right_[size_] = Affine<F>::infinity();
            out_[size_] = &nowhere;
        }
        F products[ifma52::LANES], prefix[ifma52::LANES];
        ifma52::add_forward(G2, left_.data(), right_.data(), size_, scratch_.get(), reinterpret_cast<Limbs*>(products));
        // A product x 2^260 read as a number times 2^256 is 16 x; 1/(16 x) times 256 is (1/x) 2^4, which reads as stored.
        F product = F::one();
        for (size_t i = 0; i < ifma52::LANES; i++) {
            prefix[i] = product;
            product = product * products[i];
        }
        F inverse = times_256(product.inverse());
        for (size_t i = ifma52::LANES; i-- > 0;) {
            const F own = inverse * prefix[i];
            inverse = inverse * products[i];
            products[i] = own;
        }
        ifma52::add_backward(G2, left_.data(), right_.data(), size_, scratch_.get(),
                             reinterpret_cast<const Limbs*>(products), reinterpret_cast<void* const*>(out_.data()));
        size_ = 0;
    }

private:
    static constexpr bool G2 = sizeof(F) == sizeof(Fq2);
    std::vector<Affine<F>> left_, right_;
    std::vector<Affine<F>*> out_;
    std::unique_ptr<u8, void (*)(void*)> scratch_;
    size_t size_ = 0;
};

#else

template <class F>
void to_stored(Affine<F>*, size_t) {}
template <class F>
void from_stored(Affine<F>*, size_t) {}

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

#endif

}  // namespace zkm::ZKM_ARCH
