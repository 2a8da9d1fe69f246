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

// The address of a point, plus 1 to mean its negative.
using SignedPoint = std::uintptr_t;

template <class F>
SignedPoint signed_point(const Affine<F>& p, bool negate = false) {
    return reinterpret_cast<SignedPoint>(&p) | static_cast<SignedPoint>(negate);
}

template <class F>
Affine<F> value_of(SignedPoint s) {
    const Affine<F>& p = *reinterpret_cast<const Affine<F>*>(s & ~SignedPoint{1});
    return {p.x, negated_if(p.y, s & 1)};
}

template <class F>
inline void prefetch(SignedPoint s) {
    const char* p = reinterpret_cast<const char*>(s & ~SignedPoint{1});
    for (size_t line = 0; line < sizeof(Affine<F>); line += 64) __builtin_prefetch(p + line);
}

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

// *out[i] = left[i] + right[i]; all points are read before one is written.
template <class F>
class AdditionBatch {
public:
    static constexpr size_t SIZE = 2048 * sizeof(Fq) / sizeof(F), MULTIPLE = ifma52::LANES;
    static constexpr bool FETCH_EARLY = true;

    AdditionBatch()
        : scratch_(static_cast<u8*>(std::aligned_alloc(64, ifma52::scratch_bytes(G2, SIZE))), std::free) {
        if (!scratch_) throw std::bad_alloc();
    }

    void add(const SignedPoint* left, const SignedPoint* right, Affine<F>* const* out, size_t count) {
        F products[MULTIPLE], prefix[MULTIPLE];
        ifma52::add_forward(G2, left, right, count, scratch_.get(), reinterpret_cast<Limbs*>(products));
        // A product x 2^260 read as a number times 2^256 is 16 x; 1/(16 x) times 256 is (1/x) 2^4, which reads as stored.
        F product = F::one();
        for (size_t i = 0; i < MULTIPLE; i++) {
            prefix[i] = product;
            product = product * products[i];
        }
        F inverse = times_256(product.inverse());
        for (size_t i = MULTIPLE; i-- > 0;) {
            const F own = inverse * prefix[i];
            inverse = inverse * products[i];
            products[i] = own;
        }
        ifma52::add_backward(G2, count, scratch_.get(), reinterpret_cast<const Limbs*>(products),
                             reinterpret_cast<void* const*>(out));
    }

private:
    static constexpr bool G2 = sizeof(F) == sizeof(Fq2);
    std::unique_ptr<u8, void (*)(void*)> scratch_;
};

#else

template <class F>
void to_stored(Affine<F>*, size_t) {}
template <class F>
void from_stored(Affine<F>*, size_t) {}

// *out[i] = left[i] + right[i]; all points are read before one is written.
template <class F>
class AdditionBatch {
public:
    static constexpr size_t SIZE = 1024, MULTIPLE = 1, AHEAD = 16;
    static constexpr bool FETCH_EARLY = false;  // slower, measured

    AdditionBatch() : pairs_(SIZE) {}

    void add(const SignedPoint* left, const SignedPoint* right, Affine<F>* const* out, size_t count) {
        F product = F::one();
        for (size_t i = 0; i < count; i++) {
            if (i + AHEAD < count) {
                prefetch<F>(left[i + AHEAD]);
                prefetch<F>(right[i + AHEAD]);
            }
            Pair& pair = pairs_[i];
            pair.a = value_of<F>(left[i]);
            pair.b = value_of<F>(right[i]);
            F d = pair.b.x - pair.a.x;
            if (d.is_zero()) d = pair.a.y.dbl();  // doubling, if anything
            if (d.is_zero() || pair.a.is_infinity() || pair.b.is_infinity()) d = F::one();
            pair.denominator = d;
            pair.prefix = product;
            product = product * d;
        }
        F inverse = product.inverse();
        for (size_t i = count; i-- > 0;) {
            const F reciprocal = inverse * pairs_[i].prefix;
            inverse = inverse * pairs_[i].denominator;
            *out[i] = sum(pairs_[i].a, pairs_[i].b, reciprocal);
        }
    }

private:
    struct Pair {
        Affine<F> a, b;
        F denominator, prefix;
    };

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

    std::vector<Pair> pairs_;
};

#endif

// Collects additions into batches.
template <class F>
class PairAdder {
public:
    PairAdder() : left_(SIZE), right_(SIZE), out_(SIZE) {}

    // *out = a + b, at the latest after flush(). Until then a and b must stay as they are and `out` unread; `out` may
    // be a or b, or a point that an earlier pair reads.
    inline void push(SignedPoint a, SignedPoint b, Affine<F>* out) {
        if (AdditionBatch<F>::FETCH_EARLY) {
            prefetch<F>(a);
            prefetch<F>(b);
        }
        left_[size_] = a;
        right_[size_] = b;
        out_[size_] = out;
        if (++size_ == SIZE) flush();
    }

    void flush() {
        if (!size_) return;
        const Affine<F> nothing = Affine<F>::infinity();
        Affine<F> nowhere;
        for (; size_ % AdditionBatch<F>::MULTIPLE; size_++) {
            left_[size_] = right_[size_] = signed_point(nothing);
            out_[size_] = &nowhere;
        }
        batch_.add(left_.data(), right_.data(), out_.data(), size_);
        size_ = 0;
    }

private:
    static constexpr size_t SIZE = AdditionBatch<F>::SIZE;
    std::vector<SignedPoint> left_, right_;
    std::vector<Affine<F>*> out_;
    AdditionBatch<F> batch_;
    size_t size_ = 0;
};

}  // namespace zkm::ZKM_ARCH
