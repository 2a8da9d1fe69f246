// SPDX-License-Identifier: GPL-3.0-or-later
// Eight field elements at a time with AVX-512 IFMA: five limbs of 52 bits, one vector a limb, Montgomery R = 2^260.
// To be included between the target pragmas of ifma_kernels.cpp only, so that no such instruction leaks elsewhere.
//
// Bounds are tracked by multiples of p. A product of elements below a p and b p is below (1 + 0.0118 a b) p, so values
// below 4 p may be multiplied freely; sums and differences are not reduced. Limbs are normalised (below 2^52) except
// where said, the multiplier reads no more of them.
#pragma once

namespace zkm::ifma52 {

using V = __m512i;
// k p with each limb but the top raised by 2^52 borrowed from the next, so that a normalised number below k p can be
// taken from it limb by limb.
constexpr Limbs52 raised(const Limbs& p, int k) {
    Limbs multiple = p;
    for (int i = 1; i < k; i++) multiple = add_raw(multiple, p);
    Limbs52 r = split(multiple);
    for (int i = 0; i < 4; i++) {
        r.v[i] += u64{1} << 52;
        r.v[i + 1] -= 1;
    }
    return r;
}

inline V set1(u64 x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
inline V low52(V x) { return _mm512_and_si512(x, set1(MASK52)); }

template <class Modulus>
struct E {
    V l[5];

    static constexpr Limbs52 p = split(Modulus::p);
    static constexpr Limbs52 p2 = split(add_raw(Modulus::p, Modulus::p));
    static constexpr Limbs52 raised1 = raised(Modulus::p, 1), raised2 = raised(Modulus::p, 2),
                             raised4 = raised(Modulus::p, 4);
    static constexpr u64 inv = negative_inverse(Modulus::p.v[0]) & MASK52;
    static constexpr Limbs52 r1 = split(power_of_two(Modulus::p, 260));

    static E constant(const Limbs52& x) {
        E r;
        for (int i = 0; i < 5; i++) r.l[i] = set1(x.v[i]);
        return r;
    }
    static E one() { return constant(r1); }

    // From and to four 64-bit words a lane.
    static E unpack(const V* w) {
        E r;
        r.l[0] = low52(w[0]);
        r.l[1] = low52(_mm512_or_si512(_mm512_srli_epi64(w[0], 52), _mm512_slli_epi64(w[1], 12)));
        r.l[2] = low52(_mm512_or_si512(_mm512_srli_epi64(w[1], 40), _mm512_slli_epi64(w[2], 24)));
        r.l[3] = low52(_mm512_or_si512(_mm512_srli_epi64(w[2], 28), _mm512_slli_epi64(w[3], 36)));
        r.l[4] = _mm512_srli_epi64(w[3], 16);
        return r;
    }
    void pack(V* w) const {
        w[0] = _mm512_or_si512(l[0], _mm512_slli_epi64(l[1], 52));
        w[1] = _mm512_or_si512(_mm512_srli_epi64(l[1], 12), _mm512_slli_epi64(l[2], 40));
        w[2] = _mm512_or_si512(_mm512_srli_epi64(l[2], 24), _mm512_slli_epi64(l[3], 28));
        w[3] = _mm512_or_si512(_mm512_srli_epi64(l[3], 36), _mm512_slli_epi64(l[4], 16));
    }

    E& normalise() {
        for (int i = 0; i < 4; i++) {
            l[i + 1] = _mm512_add_epi64(l[i + 1], _mm512_srli_epi64(l[i], 52));
            l[i] = low52(l[i]);
        }
        return *this;
    }

    E plus(const E& b) const {
        E r;
        for (int i = 0; i < 5; i++) r.l[i] = _mm512_add_epi64(l[i], b.l[i]);
        return r.normalise();
    }
    E twice() const { return plus(*this); }

    // this - b + k p, for b below k p; k p given raised.
    E minus(const E& b, const Limbs52& raised) const {
        E r;
        for (int i = 0; i < 5; i++) r.l[i] = _mm512_add_epi64(l[i], _mm512_sub_epi64(set1(raised.v[i]), b.l[i]));
        return r.normalise();
    }

    E select(__mmask8 lanes, const E& b) const {
        E r;
        for (int i = 0; i < 5; i++) r.l[i] = _mm512_mask_mov_epi64(l[i], lanes, b.l[i]);
        return r;
    }

    // this - k p where that is not negative.
    E reduce_by(const Limbs52& multiple) const {
        E r;
        for (int i = 0; i < 5; i++) r.l[i] = _mm512_sub_epi64(l[i], set1(multiple.v[i]));
        for (int i = 0; i < 4; i++) {
            r.l[i + 1] = _mm512_add_epi64(r.l[i + 1], _mm512_srai_epi64(r.l[i], 52));
            r.l[i] = low52(r.l[i]);
        }
        return r.select(_mm512_movepi64_mask(r.l[4]), *this);
    }
    // From below 4 p to below p.
    E canonical() const { return reduce_by(p2).reduce_by(p); }
};

// Columns of products before their reduction. Up to 100 products of normalised numbers fit a column's 64 bits.
template <class Modulus>
struct Columns {
    V lo[9], hi[9];

    Columns() {
        for (int i = 0; i < 9; i++) lo[i] = hi[i] = _mm512_setzero_si512();
    }
    void add(const E<Modulus>& a, const E<Modulus>& b) {
        for (int i = 0; i < 5; i++)
            for (int j = 0; j < 5; j++) {
                lo[i + j] = _mm512_madd52lo_epu64(lo[i + j], a.l[i], b.l[j]);
                hi[i + j] = _mm512_madd52hi_epu64(hi[i + j], a.l[i], b.l[j]);
            }
    }
    void add(const E<Modulus>& a, const u64* constant) {
        for (int j = 0; j < 5; j++) {
            const V b = set1(constant[j]);
            for (int i = 0; i < 5; i++) {
                lo[i + j] = _mm512_madd52lo_epu64(lo[i + j], a.l[i], b);
                hi[i + j] = _mm512_madd52hi_epu64(hi[i + j], a.l[i], b);
            }
        }
    }
    E<Modulus> reduced() const {
        V z[10];
        z[0] = lo[0];
        for (int i = 1; i < 9; i++) z[i] = _mm512_add_epi64(lo[i], hi[i - 1]);
        z[9] = hi[8];
        for (int i = 0; i < 5; i++) {
            const V m = _mm512_madd52lo_epu64(_mm512_setzero_si512(), z[i], set1(E<Modulus>::inv));
            for (int j = 0; j < 5; j++) {
                z[i + j] = _mm512_madd52lo_epu64(z[i + j], m, set1(E<Modulus>::p.v[j]));
                z[i + j + 1] = _mm512_madd52hi_epu64(z[i + j + 1], m, set1(E<Modulus>::p.v[j]));
            }
            z[i + 1] = _mm512_add_epi64(z[i + 1], _mm512_srli_epi64(z[i], 52));
        }
        E<Modulus> r;
        for (int i = 0; i < 5; i++) r.l[i] = z[i + 5];
        return r.normalise();
    }
};

template <class Modulus>
inline E<Modulus> operator*(const E<Modulus>& a, const E<Modulus>& b) {
    Columns<Modulus> columns;
    columns.add(a, b);
    return columns.reduced();
}

// Rows of eight words to columns of eight lanes and back.
inline void transpose(V* r) {
    V t[8], u[8];
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            u[4 * i + j] = _mm512_shuffle_i64x2(t[4 * i + j], t[4 * i + j + 2], 0x88);
            u[4 * i + j + 2] = _mm512_shuffle_i64x2(t[4 * i + j], t[4 * i + j + 2], 0xdd);
        }
    for (int j = 0; j < 4; j++) {
        r[j] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0x88);
        r[j + 4] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0xdd);
    }
}

}  // namespace zkm::ifma52
