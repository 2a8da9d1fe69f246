// SPDX-License-Identifier: GPL-3.0-or-later
// Prime fields in Montgomery form with R = 2^256. Compiled once per instruction set, in namespace zkm::ZKM_ARCH:
// ZKM_ADX = 1 uses mulx/adcx/adox, 0 is plain C++. Both keep values fully reduced, so their results are bit-identical.
#pragma once
#include "inverse.hpp"
#include "limbs.hpp"

namespace zkm::ZKM_ARCH {

template <class Modulus>
struct Fp : Limbs {
    static constexpr Limbs p = Modulus::p;
    static constexpr u64 inv = negative_inverse(Modulus::p.v[0]);
    static constexpr Limbs r1 = power_of_two(Modulus::p, 256);
    static constexpr Limbs r2 = power_of_two(Modulus::p, 512);
    static constexpr Limbs r3 = power_of_two(Modulus::p, 768);

    static Fp wrap(const Limbs& x) { return Fp{x}; }
    static Fp zero() { return Fp{Limbs{{0, 0, 0, 0}}}; }
    static Fp one() { return Fp{r1}; }
    static Fp from_u64(u64 x) { return from_canonical(Limbs{{x, 0, 0, 0}}); }
    static Fp from_canonical(const Limbs& x) { return Fp{x} * Fp{r2}; }
    Limbs canonical() const { return *this * Fp{Limbs{{1, 0, 0, 0}}}; }

    bool is_zero() const { return (v[0] | v[1] | v[2] | v[3]) == 0; }

    friend inline Fp operator+(const Fp& a, const Fp& b) {
        Fp r;
#if ZKM_ADX
        u64 t0 = a.v[0], t1 = a.v[1], t2 = a.v[2], t3 = a.v[3], s0, s1, s2, s3;
        asm("addq %[b0], %[t0]\n adcq %[b1], %[t1]\n adcq %[b2], %[t2]\n adcq %[b3], %[t3]\n"
            "movq %[t0], %[s0]\n movq %[t1], %[s1]\n movq %[t2], %[s2]\n movq %[t3], %[s3]\n"
            "subq %[p0], %[s0]\n sbbq %[p1], %[s1]\n sbbq %[p2], %[s2]\n sbbq %[p3], %[s3]\n"
            "cmovncq %[s0], %[t0]\n cmovncq %[s1], %[t1]\n cmovncq %[s2], %[t2]\n cmovncq %[s3], %[t3]\n"
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [s0] "=&r"(s0), [s1] "=&r"(s1),
              [s2] "=&r"(s2), [s3] "=&r"(s3)
            : [b0] "m"(b.v[0]), [b1] "m"(b.v[1]), [b2] "m"(b.v[2]), [b3] "m"(b.v[3]), [p0] "m"(p.v[0]),
              [p1] "m"(p.v[1]), [p2] "m"(p.v[2]), [p3] "m"(p.v[3])
            : "cc");
        r.v[0] = t0, r.v[1] = t1, r.v[2] = t2, r.v[3] = t3;
#else
        static_cast<Limbs&>(r) = reduce_once(add_raw(a, b));
#endif
        return r;
    }

    friend inline Fp operator-(const Fp& a, const Fp& b) {
        Fp r;
#if ZKM_ADX
        u64 t0 = a.v[0], t1 = a.v[1], t2 = a.v[2], t3 = a.v[3], m0 = 0, m1 = 0, m2 = 0, m3 = 0;
        asm("subq %[b0], %[t0]\n sbbq %[b1], %[t1]\n sbbq %[b2], %[t2]\n sbbq %[b3], %[t3]\n"
            "cmovcq %[p0], %[m0]\n cmovcq %[p1], %[m1]\n cmovcq %[p2], %[m2]\n cmovcq %[p3], %[m3]\n"
            "addq %[m0], %[t0]\n adcq %[m1], %[t1]\n adcq %[m2], %[t2]\n adcq %[m3], %[t3]\n"
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [m0] "+&r"(m0), [m1] "+&r"(m1),
              [m2] "+&r"(m2), [m3] "+&r"(m3)
            : [b0] "m"(b.v[0]), [b1] "m"(b.v[1]), [b2] "m"(b.v[2]), [b3] "m"(b.v[3]), [p0] "m"(p.v[0]),
              [p1] "m"(p.v[1]), [p2] "m"(p.v[2]), [p3] "m"(p.v[3])
            : "cc");
        r.v[0] = t0, r.v[1] = t1, r.v[2] = t2, r.v[3] = t3;
#else
        static_cast<Limbs&>(r) = subtract_raw(a, b);
        if (less(a, b)) static_cast<Limbs&>(r) = add_raw(r, p);
#endif
        return r;
    }

    // Montgomery product a*b/R, operand scanning. The top limb of p is below 2^62, so no row carries out of four limbs.
    friend inline Fp operator*(const Fp& a, const Fp& b) {
        Fp r;
#if ZKM_ADX
        u64 t0, t1, t2, t3, t4, lo, hi;
// Adds row x * y[k] to t; t4 receives the carry limb. CF and OF run two independent carry chains.
#define ZKM_ROW(offset)                                                                     \
    "movq " offset "(%[y]), %%rdx\n xorl %k[lo], %k[lo]\n"                                  \
    "mulxq 0(%[x]), %[lo], %[t4]\n adoxq %[lo], %[t0]\n adcxq %[t4], %[t1]\n"               \
    "mulxq 8(%[x]), %[lo], %[t4]\n adoxq %[lo], %[t1]\n adcxq %[t4], %[t2]\n"               \
    "mulxq 16(%[x]), %[lo], %[t4]\n adoxq %[lo], %[t2]\n adcxq %[t4], %[t3]\n"              \
    "mulxq 24(%[x]), %[lo], %[t4]\n adoxq %[lo], %[t3]\n"                                   \
    "movl $0, %k[lo]\n adcxq %[lo], %[t4]\n adoxq %[lo], %[t4]\n"
// t = (t + m*p) / 2^64 with m = -t0/p mod 2^64.
#define ZKM_REDUCE                                                                          \
    "movq %[inv], %%rdx\n imulq %[t0], %%rdx\n xorl %k[lo], %k[lo]\n"                       \
    "mulxq %[p0], %[lo], %[hi]\n adcxq %[t0], %[lo]\n movq %[hi], %[t0]\n"                  \
    "adcxq %[t1], %[t0]\n mulxq %[p1], %[lo], %[t1]\n adoxq %[lo], %[t0]\n"                 \
    "adcxq %[t2], %[t1]\n mulxq %[p2], %[lo], %[t2]\n adoxq %[lo], %[t1]\n"                 \
    "adcxq %[t3], %[t2]\n mulxq %[p3], %[lo], %[t3]\n adoxq %[lo], %[t2]\n"                 \
    "movl $0, %k[lo]\n adcxq %[lo], %[t3]\n adoxq %[t4], %[t3]\n"
        asm("movq 0(%[y]), %%rdx\n xorl %k[lo], %k[lo]\n"
            "mulxq 0(%[x]), %[t0], %[t1]\n"
            "mulxq 8(%[x]), %[lo], %[t2]\n adoxq %[lo], %[t1]\n"
            "mulxq 16(%[x]), %[lo], %[t3]\n adoxq %[lo], %[t2]\n"
            "mulxq 24(%[x]), %[lo], %[t4]\n adoxq %[lo], %[t3]\n"
            "movl $0, %k[lo]\n adoxq %[lo], %[t4]\n" ZKM_REDUCE
            ZKM_ROW("8") ZKM_REDUCE ZKM_ROW("16") ZKM_REDUCE ZKM_ROW("24") ZKM_REDUCE
            "movq %[t0], %[t4]\n movq %[t1], %[lo]\n movq %[t2], %[hi]\n movq %[t3], %%rdx\n"
            "subq %[p0], %[t4]\n sbbq %[p1], %[lo]\n sbbq %[p2], %[hi]\n sbbq %[p3], %%rdx\n"
            "cmovncq %[t4], %[t0]\n cmovncq %[lo], %[t1]\n cmovncq %[hi], %[t2]\n cmovncq %%rdx, %[t3]\n"
            : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [lo] "=&r"(lo),
              [hi] "=&r"(hi)
            : [x] "r"(a.v), [y] "r"(b.v), [p0] "m"(p.v[0]), [p1] "m"(p.v[1]), [p2] "m"(p.v[2]), [p3] "m"(p.v[3]),
              [inv] "m"(inv), "m"(a), "m"(b)
            : "rdx", "cc");
#undef ZKM_ROW
#undef ZKM_REDUCE
        r.v[0] = t0, r.v[1] = t1, r.v[2] = t2, r.v[3] = t3;
#else
        u64 t[4] = {0, 0, 0, 0};
        for (int i = 0; i < 4; i++) {
            u128 row = (u128)a.v[0] * b.v[i] + t[0];
            const u64 m = (u64)row * inv;
            u128 red = (u128)m * p.v[0] + (u64)row;
            for (int j = 1; j < 4; j++) {
                row = (u128)a.v[j] * b.v[i] + t[j] + (u64)(row >> 64);
                red = (u128)m * p.v[j] + (u64)row + (u64)(red >> 64);
                t[j - 1] = (u64)red;
            }
            t[3] = (u64)(row >> 64) + (u64)(red >> 64);
        }
        static_cast<Limbs&>(r) = reduce_once(Limbs{{t[0], t[1], t[2], t[3]}});
#endif
        return r;
    }

    Fp neg() const { return is_zero() ? *this : Fp{subtract_raw(p, *this)}; }
    // Without a branch: the signs of digits are random.
    friend Fp negated_if(const Fp& x, bool negate) {
        Fp r = zero() - x;
#if ZKM_ADX
        asm("testq %[negate], %[negate]\n"
            "cmovzq %[x0], %[r0]\n cmovzq %[x1], %[r1]\n cmovzq %[x2], %[r2]\n cmovzq %[x3], %[r3]\n"
            : [r0] "+r"(r.v[0]), [r1] "+r"(r.v[1]), [r2] "+r"(r.v[2]), [r3] "+r"(r.v[3])
            : [negate] "r"(static_cast<u64>(negate)), [x0] "m"(x.v[0]), [x1] "m"(x.v[1]), [x2] "m"(x.v[2]),
              [x3] "m"(x.v[3])
            : "cc");
#else
        const u64 mask = 0 - static_cast<u64>(!negate);
        for (int i = 0; i < 4; i++) r.v[i] ^= (x.v[i] ^ r.v[i]) & mask;
#endif
        return r;
    }
    Fp dbl() const { return *this + *this; }
    Fp sqr() const { return *this * *this; }

    Fp pow(const Limbs& e) const {
        Fp r = one();
        for (int i = 255; i >= 0; i--) {
            r = r.sqr();
            if (e.v[i >> 6] >> (i & 63) & 1) r = r * *this;
        }
        return r;
    }

    // 1/x; 0 for 0.
    Fp inverse() const { return Fp{Inverter<Modulus>::inverse(*this)} * Fp{r3}; }

    static Limbs reduce_once(const Limbs& x) { return less(x, p) ? x : subtract_raw(x, p); }
};

// A sum of up to 22 products, held in 512 bits, so that one reduction serves them all: 22 p^2 < 2^512, and
// the reduced value (22 p^2 + 2^256 p) / 2^256 < 5.2 p still fits 256 bits.
template <class Modulus>
struct ProductSum {
    using F = Fp<Modulus>;
    u64 w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0;

    inline void add(const F& a, const F& b) {
#if ZKM_ADX
        u64 lo, hi;
#define ZKM_ROW(offset, c0, c1, c2, c3, c4)                                                    \
    "movq " offset "(%[y]), %%rdx\n xorl %k[lo], %k[lo]\n"                                     \
    "mulxq 0(%[x]), %[lo], %[hi]\n adcxq %[lo], %[" c0 "]\n adoxq %[hi], %[" c1 "]\n"          \
    "mulxq 8(%[x]), %[lo], %[hi]\n adcxq %[lo], %[" c1 "]\n adoxq %[hi], %[" c2 "]\n"          \
    "mulxq 16(%[x]), %[lo], %[hi]\n adcxq %[lo], %[" c2 "]\n adoxq %[hi], %[" c3 "]\n"         \
    "mulxq 24(%[x]), %[lo], %[hi]\n adcxq %[lo], %[" c3 "]\n adoxq %[hi], %[" c4 "]\n"         \
    "movl $0, %k[lo]\n adcxq %[lo], %[" c4 "]\n"
#define ZKM_CARRY(c) "adcxq %[lo], %[" c "]\n adoxq %[lo], %[" c "]\n"
        asm(ZKM_ROW("0", "w0", "w1", "w2", "w3", "w4") ZKM_CARRY("w5") ZKM_CARRY("w6") ZKM_CARRY("w7")
            ZKM_ROW("8", "w1", "w2", "w3", "w4", "w5") ZKM_CARRY("w6") ZKM_CARRY("w7")
            ZKM_ROW("16", "w2", "w3", "w4", "w5", "w6") ZKM_CARRY("w7")
            ZKM_ROW("24", "w3", "w4", "w5", "w6", "w7")
            : [w0] "+&r"(w0), [w1] "+&r"(w1), [w2] "+&r"(w2), [w3] "+&r"(w3), [w4] "+&r"(w4), [w5] "+&r"(w5),
              [w6] "+&r"(w6), [w7] "+&r"(w7), [lo] "=&r"(lo), [hi] "=&r"(hi)
            : [x] "r"(a.v), [y] "r"(b.v), "m"(a), "m"(b)
            : "rdx", "cc");
#undef ZKM_ROW
#undef ZKM_CARRY
#else
        u64 w[8] = {w0, w1, w2, w3, w4, w5, w6, w7};
        for (int i = 0; i < 4; i++) {
            u64 carry = 0;
            for (int j = 0; j < 4; j++) {
                u128 s = (u128)a.v[j] * b.v[i] + w[i + j] + carry;
                w[i + j] = (u64)s;
                carry = (u64)(s >> 64);
            }
            for (int k = i + 4; k < 8; k++) {
                w[k] += carry;
                carry = w[k] < carry;
            }
        }
        w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5], w6 = w[6], w7 = w[7];
#endif
    }

    // The sum divided by R.
    F reduced() const {
        u64 w[8] = {w0, w1, w2, w3, w4, w5, w6, w7};
        u64 top = 0;
        for (int i = 0; i < 4; i++) {
            const u64 m = w[i] * F::inv;
            u64 carry = 0;
            for (int j = 0; j < 4; j++) {
                u128 s = (u128)m * F::p.v[j] + w[i + j] + carry;
                w[i + j] = (u64)s;
                carry = (u64)(s >> 64);
            }
            u128 s = (u128)w[i + 4] + carry + top;
            w[i + 4] = (u64)s;
            top = (u64)(s >> 64);
        }
        Limbs r{{w[4], w[5], w[6], w[7]}};
        const Limbs p2 = add_raw(F::p, F::p), p4 = add_raw(p2, p2);
        if (!less(r, p4)) r = subtract_raw(r, p4);
        if (!less(r, p2)) r = subtract_raw(r, p2);
        return F::wrap(F::reduce_once(r));
    }
};

using Fq = Fp<BaseField>;
using Fr = Fp<ScalarField>;

}  // namespace zkm::ZKM_ARCH
