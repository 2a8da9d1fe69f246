// SPDX-License-Identifier: GPL-3.0-or-later
// 1/x mod p by division steps (Bernstein and Yang, eprint 2019/266), 62 at a time on the lowest words alone; the rest of
// the numbers follows in one multiplication by a matrix of words. Not constant-time. Independent of the instruction set.
#pragma once
#include "limbs.hpp"

namespace zkm {

// Signed number of five limbs of 62 bits, the highest with the sign.
struct Limbs62 {
    int64_t v[5];
};
constexpr u64 MASK62 = ~u64{0} >> 2;

constexpr Limbs62 split62(const Limbs& x) {
    return {{(int64_t)(x.v[0] & MASK62), (int64_t)((x.v[0] >> 62 | x.v[1] << 2) & MASK62),
             (int64_t)((x.v[1] >> 60 | x.v[2] << 4) & MASK62), (int64_t)((x.v[2] >> 58 | x.v[3] << 6) & MASK62),
             (int64_t)(x.v[3] >> 56)}};
}

// 62 division steps on odd f and any g, times 2^62: (f, g) becomes (u f + v g, q f + r g) / 2^62.
struct DivisionSteps {
    int64_t u, v, q, r;

    // `eta` is minus the steps' delta; it goes on from one matrix to the next.
    DivisionSteps(int64_t& eta, u64 f, u64 g) {
        u64 a = 1, b = 0, c = 0, d = 1;
        for (int left = 62;;) {
            const int zeros = __builtin_ctzll(g | ~u64{0} << left);
            g >>= zeros;
            a <<= zeros;
            b <<= zeros;
            eta -= zeros;
            left -= zeros;
            if (!left) break;
            if (eta < 0) {
                eta = -eta;
                u64 old = f;
                f = g, g = 0 - old;
                old = a;
                a = c, c = 0 - old;
                old = b;
                b = d, d = 0 - old;
            }
            // As many low bits of g as steps without an exchange allow are cleared with one multiple of f.
            const int steps = eta + 1 < left ? static_cast<int>(eta + 1) : left;
            const u64 mask = (~u64{0} >> (64 - steps)) & 63;
            const u64 w = (f * g * (f * f - 2)) & mask;  // -g/f mod 2^6
            g += f * w;
            c += a * w;
            d += b * w;
        }
        u = (int64_t)a, v = (int64_t)b, q = (int64_t)c, r = (int64_t)d;
    }
};

template <class Modulus>
class Inverter {
public:
    // 1/x mod p for x below p; 0 for 0.
    static Limbs inverse(const Limbs& x) {
        Limbs62 f = modulus, g = split62(x), d{}, e{{1, 0, 0, 0, 0}};
        int64_t eta = -1;
        while (g.v[0] | g.v[1] | g.v[2] | g.v[3] | g.v[4]) {
            const DivisionSteps t(eta, (u64)f.v[0], (u64)g.v[0]);
            combine(t, d, e, true);
            combine(t, f, g, false);
        }
        // f is now 1 or -1, or p for x = 0, and d is x's inverse with the sign of f, above -2 p and below p.
        if (d.v[4] < 0) d = sum(d, 1, modulus);
        if (f.v[4] < 0) d = sum(Limbs62{}, -1, d);
        if (d.v[4] < 0) d = sum(d, 1, modulus);
        Limbs r{};
        for (int i = 0; i < 4; i++) r.v[i] = (u64)d.v[i] >> 2 * i | (u64)d.v[i + 1] << (62 - 2 * i);
        return r;
    }

private:
    using i128 = __int128;
    static constexpr Limbs62 modulus = split62(Modulus::p);
    static constexpr u64 negative = negative_inverse(Modulus::p.v[0]);

    static Limbs62 sum(const Limbs62& a, int factor, const Limbs62& b) {
        Limbs62 r;
        int64_t carry = 0;
        for (int i = 0; i < 5; i++) {
            carry += a.v[i] + factor * b.v[i];
            r.v[i] = i < 4 ? carry & (int64_t)MASK62 : carry;
            carry >>= 62;
        }
        return r;
    }

    // (x, y) = (u x + v y, q x + r y) / 2^62, exactly, or modulo p: then x and y stay above -2 p and below p.
    static void combine(const DivisionSteps& t, Limbs62& x, Limbs62& y, bool modulo) {
        int64_t kx = 0, ky = 0;  // multiples of p
        i128 cx = (i128)t.u * x.v[0] + (i128)t.v * y.v[0], cy = (i128)t.q * x.v[0] + (i128)t.r * y.v[0];
        if (modulo) {
            const int64_t below_x = x.v[4] >> 63, below_y = y.v[4] >> 63;
            kx = (t.u & below_x) + (t.v & below_y);
            ky = (t.q & below_x) + (t.r & below_y);
            kx -= (int64_t)(((u64)kx - negative * (u64)cx) & MASK62);
            ky -= (int64_t)(((u64)ky - negative * (u64)cy) & MASK62);
            cx += (i128)modulus.v[0] * kx;
            cy += (i128)modulus.v[0] * ky;
        }
        for (int i = 1; i < 5; i++) {
            cx = (cx >> 62) + (i128)t.u * x.v[i] + (i128)t.v * y.v[i] + (i128)modulus.v[i] * kx;
            cy = (cy >> 62) + (i128)t.q * x.v[i] + (i128)t.r * y.v[i] + (i128)modulus.v[i] * ky;
            x.v[i - 1] = (int64_t)((u64)cx & MASK62);
            y.v[i - 1] = (int64_t)((u64)cy & MASK62);
        }
        x.v[4] = (int64_t)(cx >> 62);
        y.v[4] = (int64_t)(cy >> 62);
    }
};

}  // namespace zkm
