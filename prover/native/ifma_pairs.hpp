// SPDX-License-Identifier: GPL-3.0-or-later
// Batched affine additions, eight to a vector. Included by ifma_kernels.cpp.
#pragma once

namespace zkm::ifma52 {

using Fq8 = E<BaseField>;

// Both coordinate fields under one set of names.
struct Line : Fq8 {
    static constexpr int WORDS = 4;
    Line() = default;
    Line(const Fq8& x) : Fq8(x) {}
    static Line zero() { return Fq8::constant(Limbs52{}); }
    static Line one() { return Fq8::one(); }
    static Line load(const V* w) { return Fq8::unpack(w); }
    void store(V* w) const { canonical().pack(w); }
    Line select(__mmask8 lanes, const Line& b) const { return Fq8::select(lanes, b); }
    Line difference(const Line& b) const { return minus(b, raised1); }       // b below p
    Line difference2(const Line& b) const { return minus(b, raised2); }      // b below 2 p
    Line operator+(const Line& b) const { return plus(b); }
    Line times(const Line& b) const { return *this * b; }
    Line square() const { return *this * *this; }
};

// a + b u, u^2 = -1. Factors must be below 4 p.
struct Plane {
    static constexpr int WORDS = 8;
    Fq8 a, b;
    static Plane zero() { return {Fq8::constant(Limbs52{}), Fq8::constant(Limbs52{})}; }
    static Plane one() { return {Fq8::one(), Fq8::constant(Limbs52{})}; }
    static Plane load(const V* w) { return {Fq8::unpack(w), Fq8::unpack(w + 4)}; }
    void store(V* w) const {
        a.canonical().pack(w);
        b.canonical().pack(w + 4);
    }
    Plane select(__mmask8 lanes, const Plane& o) const { return {a.select(lanes, o.a), b.select(lanes, o.b)}; }
    Plane difference(const Plane& o) const { return {a.minus(o.a, Fq8::raised1), b.minus(o.b, Fq8::raised1)}; }
    Plane difference2(const Plane& o) const { return {a.minus(o.a, Fq8::raised2), b.minus(o.b, Fq8::raised2)}; }
    Plane operator+(const Plane& o) const { return {a.plus(o.a), b.plus(o.b)}; }
    Plane times(const Plane& o) const {
        Columns<BaseField> real, imaginary;
        real.add(a, o.a);
        real.add(Fq8::constant(Limbs52{}).minus(b, Fq8::raised4), o.b);
        imaginary.add(a, o.b);
        imaginary.add(b, o.a);
        return {real.reduced(), imaginary.reduced()};
    }
    Plane square() const { return {a.plus(b) * a.minus(b, Fq8::raised4), a.twice() * b}; }
};

// Eight points: words of x, then words of y, as columns of lanes.
template <class F>
struct Points {
    V w[2 * F::WORDS];

    __mmask8 negative;

    explicit Points(const SignedPoint* points) {
        constexpr int blocks = F::WORDS / 4;  // vectors a point
        for (int b = 0; b < blocks; b++) {
            V r[8];
            for (int i = 0; i < 8; i++)
                r[i] = _mm512_loadu_si512(reinterpret_cast<const u8*>(points[i] & ~SignedPoint{1}) + 64 * b);
            transpose(r);
            for (int i = 0; i < 8; i++) w[8 * b + i] = r[i];
        }
        negative = _mm512_test_epi64_mask(_mm512_loadu_si512(points), set1(1));
    }
    F x() const { return F::load(w); }
    // Below p unless p itself, which only a point with y = 0 gives: infinity, which is told by its words.
    F y() const {
        const F plain = F::load(w + F::WORDS);
        return plain.select(negative, F::zero().difference(plain));
    }
    __mmask8 zero(int from, int to) const {
        V any = w[from];
        for (int i = from + 1; i < to; i++) any = _mm512_or_si512(any, w[i]);
        return _mm512_testn_epi64_mask(any, any);
    }
    __mmask8 equal(const Points& o, int from, int to) const {
        V any = _mm512_xor_si512(w[from], o.w[from]);
        for (int i = from + 1; i < to; i++) any = _mm512_or_si512(any, _mm512_xor_si512(w[i], o.w[i]));
        return _mm512_testn_epi64_mask(any, any);
    }
};

// What a group of eight additions keeps between the two halves.
template <class F>
struct Group {
    F x1, y1, x2, y2, denominator, prefix;
    // Lanes that are no plain addition: doublings, and those whose sum is known without arithmetic.
    __mmask8 doubling, left_is_sum, right_is_sum, sum_is_infinity;
    __mmask8 special() const { return left_is_sum | right_is_sum | sum_is_infinity; }
};

template <class F>
inline void classify(const Points<F>& p, const Points<F>& q, __mmask8 same_x, Group<F>& g) {
    constexpr int n = F::WORDS;
    g.right_is_sum = p.zero(0, 2 * n);
    g.left_is_sum = q.zero(0, 2 * n) & ~g.right_is_sum;
    const __mmask8 other = same_x & ~(g.right_is_sum | g.left_is_sum);
    // The group's order is odd: no point has y = 0, so equal means doubling, for equal signs.
    const __mmask8 same_y = p.equal(q, n, 2 * n), same_sign = ~(p.negative ^ q.negative);
    g.doubling = other & (same_y ^ ~same_sign);
    g.sum_is_infinity = other & ~g.doubling;
    g.denominator = g.denominator.select(g.doubling, g.y1 + g.y1).select(g.special(), F::one());
}

template <class F>
void forward(const SignedPoint* left, const SignedPoint* right, size_t pairs, Group<F>* groups, Limbs* products) {
    F product[CHAINS];
    for (size_t c = 0; c < CHAINS; c++) product[c] = F::one();
    for (size_t i = 0; i < pairs / 8; i += CHAINS)
        for (size_t c = 0; c < CHAINS; c++) {
            Group<F>& g = groups[i + c];
            const Points<F> p(left + 8 * (i + c)), q(right + 8 * (i + c));
            g.x1 = p.x();
            g.y1 = p.y();
            g.x2 = q.x();
            g.y2 = q.y();
            g.denominator = g.x2.difference(g.x1);
            g.doubling = g.left_is_sum = g.right_is_sum = g.sum_is_infinity = 0;
            const __mmask8 same_x = p.equal(q, 0, F::WORDS);
            // A point at infinity has x = 0; whether a lane really holds one, classify() finds out.
            if (__builtin_expect(same_x | p.zero(0, F::WORDS) | q.zero(0, F::WORDS), 0)) classify(p, q, same_x, g);
            g.prefix = product[c];
            product[c] = product[c].times(g.denominator);
        }
    for (size_t c = 0; c < CHAINS; c++) {
        V w[8];
        product[c].store(w);
        alignas(64) u64 lanes[8][8];
        for (int k = 0; k < F::WORDS; k++) _mm512_store_si512(lanes[k], w[k]);
        for (int lane = 0; lane < 8; lane++)
            for (int k = 0; k < F::WORDS; k++)
                products[(8 * c + lane) * (F::WORDS / 4) + k / 4].v[k % 4] = lanes[k][lane];
    }
}

template <class F>
void backward(size_t pairs, const Group<F>* groups, const Limbs* inverses, void* const* out) {
    constexpr int blocks = F::WORDS / 4;
    F inverse[CHAINS];
    for (size_t c = 0; c < CHAINS; c++) {
        alignas(64) u64 lanes[8][8];
        for (int lane = 0; lane < 8; lane++)
            for (int k = 0; k < F::WORDS; k++)
                lanes[k][lane] = inverses[(8 * c + lane) * (F::WORDS / 4) + k / 4].v[k % 4];
        V w[8];
        for (int k = 0; k < F::WORDS; k++) w[k] = _mm512_load_si512(lanes[k]);
        inverse[c] = F::load(w);
    }
    for (size_t i = pairs / 8; i > 0; i -= CHAINS)
        for (size_t c = CHAINS; c-- > 0;) {
            const size_t at = i - CHAINS + c;
            const Group<F>& g = groups[at];
            const F reciprocal = inverse[c].times(g.prefix);
            inverse[c] = inverse[c].times(g.denominator);
            F rise = g.y2.difference(g.y1);
            if (__builtin_expect(g.doubling, 0)) {
                const F xx = g.x1.square();
                rise = rise.select(g.doubling, xx + xx + xx);
            }
            const F slope = rise.times(reciprocal);
            V w[2 * F::WORDS];
            slope.square().difference2(g.x1 + g.x2).store(w);  // below 3.1 p before it is reduced
            const F x3 = F::load(w);
            slope.times(g.x1.difference(x3)).difference(g.y1).store(w + F::WORDS);
            if (__builtin_expect(g.special(), 0)) {
                V p[2 * F::WORDS], q[2 * F::WORDS];
                g.x1.store(p);
                g.y1.store(p + F::WORDS);
                g.x2.store(q);
                g.y2.store(q + F::WORDS);
                for (int k = 0; k < 2 * F::WORDS; k++) {
                    w[k] = _mm512_mask_mov_epi64(w[k], g.left_is_sum, p[k]);
                    w[k] = _mm512_mask_mov_epi64(w[k], g.right_is_sum, q[k]);
                    w[k] = _mm512_mask_mov_epi64(w[k], g.sum_is_infinity, _mm512_setzero_si512());
                }
            }
            for (int b = 0; b < blocks; b++) {
                V r[8];
                for (int k = 0; k < 8; k++) r[k] = w[8 * b + k];
                transpose(r);
                for (int lane = 0; lane < 8; lane++)
                    _mm512_storeu_si512(static_cast<V*>(out[8 * at + lane]) + b, r[lane]);
            }
        }
}

}  // namespace zkm::ifma52
