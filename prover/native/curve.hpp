// SPDX-License-Identifier: GPL-3.0-or-later
// BN254's groups: G1 over the base field, y^2 = x^3 + 3, and G2 over its quadratic extension, y^2 = x^3 + 3/(9 + u).
// The point at infinity is (0, 0) in affine form, as in snarkjs's files; zero in zz marks it in extended form.
#pragma once
#include "field.hpp"

namespace zkm::ZKM_ARCH {

// a + b u with u^2 = -1.
struct Fq2 {
    Fq a, b;

    static Fq2 zero() { return {Fq::zero(), Fq::zero()}; }
    static Fq2 one() { return {Fq::one(), Fq::zero()}; }
    bool is_zero() const { return a.is_zero() && b.is_zero(); }
    friend bool operator==(const Fq2& x, const Fq2& y) { return x.a == y.a && x.b == y.b; }
    friend inline Fq2 operator+(const Fq2& x, const Fq2& y) { return {x.a + y.a, x.b + y.b}; }
    friend inline Fq2 operator-(const Fq2& x, const Fq2& y) { return {x.a - y.a, x.b - y.b}; }
    friend inline Fq2 operator*(const Fq2& x, const Fq2& y) {
        const Fq aa = x.a * y.a, bb = x.b * y.b;
        return {aa - bb, (x.a + x.b) * (y.a + y.b) - aa - bb};
    }
    friend Fq2 negated_if(const Fq2& x, bool negate) { return {negated_if(x.a, negate), negated_if(x.b, negate)}; }
    Fq2 neg() const { return {a.neg(), b.neg()}; }
    Fq2 dbl() const { return {a + a, b + b}; }
    Fq2 sqr() const {
        const Fq product = a * b;
        return {(a + b) * (a - b), product + product};
    }
    Fq2 inverse() const {
        const Fq scale = (a * a + b * b).inverse();
        return {a * scale, b.neg() * scale};
    }
};

template <class F>
struct Affine {
    F x, y;

    static Affine infinity() { return {F::zero(), F::zero()}; }
    bool is_infinity() const { return x.is_zero() && y.is_zero(); }
    Affine neg() const { return {x, y.neg()}; }
};

inline Fq curve_constant(const Fq*) { return Fq::from_u64(3); }
inline Fq2 curve_constant(const Fq2*) {
    return Fq2{Fq::from_u64(3), Fq::zero()} * Fq2{Fq::from_u64(9), Fq::one()}.inverse();
}

template <class F>
F curve_b() {
    static const F b = curve_constant(static_cast<const F*>(nullptr));
    return b;
}

template <class F>
bool on_curve(const Affine<F>& p) {
    return p.is_infinity() || p.y.sqr() == p.x.sqr() * p.x + curve_b<F>();
}

inline Affine<Fq> generator(const Fq*) { return {Fq::from_u64(1), Fq::from_u64(2)}; }
inline Affine<Fq2> generator(const Fq2*) {
    auto word = [](u64 a, u64 b, u64 c, u64 d) { return Fq::from_canonical(Limbs{{a, b, c, d}}); };
    return {{word(0x46debd5cd992f6ed, 0x674322d4f75edadd, 0x426a00665e5c4479, 0x1800deef121f1e76),
             word(0x97e485b7aef312c2, 0xf1aa493335a9e712, 0x7260bfb731fb5d25, 0x198e9393920d483a)},
            {word(0x4ce6cc0166fa7daa, 0xe3d1e7690c43d37b, 0x4aab71808dcb408f, 0x12c85ea5db8c6deb),
             word(0x55acdadcd122975b, 0xbc4b313370b38ef3, 0xec9e99ad690c3395, 0x090689d0585ff075)}};
}

// Extended Jacobian coordinates (X/ZZ, Y/ZZZ) with ZZ^3 = ZZZ^2. Formulas of the Explicit-Formulas Database, xyzz.
template <class F>
struct Extended {
    F x, y, zz, zzz;

    static Extended infinity() { return {F::zero(), F::zero(), F::zero(), F::zero()}; }
    static Extended from(const Affine<F>& p) {
        return p.is_infinity() ? infinity() : Extended{p.x, p.y, F::one(), F::one()};
    }
    bool is_infinity() const { return zz.is_zero(); }

    Extended dbl() const {
        if (is_infinity() || y.is_zero()) return infinity();
        const F u = y.dbl(), v = u.sqr(), w = u * v, s = x * v, xx = x.sqr(), m = xx.dbl() + xx;
        const F x3 = m.sqr() - s.dbl();
        return {x3, m * (s - x3) - w * y, v * zz, w * zzz};
    }

    void add(const Affine<F>& p) {
        if (p.is_infinity()) return;
        if (is_infinity()) {
            *this = from(p);
            return;
        }
        add_difference(x, y, p.x * zz - x, p.y * zzz - y, zz, zzz);
    }

    void add(const Extended& p) {
        if (p.is_infinity()) return;
        if (is_infinity()) {
            *this = p;
            return;
        }
        const F u1 = x * p.zz, s1 = y * p.zzz;
        add_difference(u1, s1, p.x * zz - u1, p.y * zzz - s1, zz * p.zz, zzz * p.zzz);
    }

    Affine<F> affine() const {
        if (is_infinity()) return Affine<F>::infinity();
        const F i = (zz * zzz).inverse();
        return {x * (i * zzz), y * (i * zz)};
    }

private:
    // Both points over the common denominators: this is (u1, s1), the other differs from it by (dx, dy).
    void add_difference(const F& u1, const F& s1, const F& dx, const F& dy, const F& den2, const F& den3) {
        if (dx.is_zero()) {
            *this = dy.is_zero() ? Extended{u1, s1, den2, den3}.dbl() : infinity();
            return;
        }
        const F pp = dx.sqr(), ppp = dx * pp, q = u1 * pp;
        const F x3 = dy.sqr() - ppp - q.dbl();
        *this = {x3, dy * (q - x3) - s1 * ppp, den2 * pp, den3 * ppp};
    }
};

// k times p, k an integer below 2^256. Not constant-time: keys and proofs are made on the owner's machine.
template <class F>
Extended<F> multiply(const Extended<F>& p, const Limbs& k) {
    Extended<F> r = Extended<F>::infinity();
    for (int i = 255; i >= 0; i--) {
        r = r.dbl();
        if (k.v[i >> 6] >> (i & 63) & 1) r.add(p);
    }
    return r;
}

template <class F>
Extended<F> multiply(const Affine<F>& p, const Limbs& k) {
    return multiply(Extended<F>::from(p), k);
}

}  // namespace zkm::ZKM_ARCH
