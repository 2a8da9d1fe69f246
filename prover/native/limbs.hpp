// SPDX-License-Identifier: GPL-3.0-or-later
// 256-bit integers as four little-endian 64-bit limbs, and the moduli of BN254. Independent of the instruction set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace zkm {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using u128 = unsigned __int128;

struct Limbs {
    u64 v[4];
};

inline bool operator==(const Limbs& a, const Limbs& b) {
    return ((a.v[0] ^ b.v[0]) | (a.v[1] ^ b.v[1]) | (a.v[2] ^ b.v[2]) | (a.v[3] ^ b.v[3])) == 0;
}

constexpr bool less(const Limbs& a, const Limbs& b) {
    for (int i = 3; i >= 0; i--)
        if (a.v[i] != b.v[i]) return a.v[i] < b.v[i];
    return false;
}

inline Limbs load_limbs(const void* bytes) {
    Limbs r;
    std::memcpy(&r, bytes, sizeof r);
    return r;
}

constexpr Limbs subtract_raw(const Limbs& a, const Limbs& b) {
    Limbs r{};
    u64 borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 d = (u128)a.v[i] - b.v[i] - borrow;
        r.v[i] = (u64)d;
        borrow = (u64)(d >> 64) & 1;
    }
    return r;
}

constexpr Limbs add_raw(const Limbs& a, const Limbs& b) {
    Limbs r{};
    u64 carry = 0;
    for (int i = 0; i < 4; i++) {
        u128 s = (u128)a.v[i] + b.v[i] + carry;
        r.v[i] = (u64)s;
        carry = (u64)(s >> 64);
    }
    return r;
}

// 2^exponent mod p, for p < 2^255.
constexpr Limbs power_of_two(const Limbs& p, int exponent) {
    Limbs x{{1, 0, 0, 0}};
    for (int i = 0; i < exponent; i++) {
        x = add_raw(x, x);
        if (!less(x, p)) x = subtract_raw(x, p);
    }
    return x;
}

// -1/p mod 2^64 for odd p, by Newton's iteration.
constexpr u64 negative_inverse(u64 p) {
    u64 x = 1;
    for (int i = 0; i < 6; i++) x *= 2 - p * x;
    return 0 - x;
}

// The same number as five limbs of 52 bits.
struct Limbs52 {
    u64 v[5];
};
constexpr u64 MASK52 = (u64{1} << 52) - 1;

constexpr Limbs52 split(const Limbs& x) {
    return {{x.v[0] & MASK52, (x.v[0] >> 52 | x.v[1] << 12) & MASK52, (x.v[1] >> 40 | x.v[2] << 24) & MASK52,
             (x.v[2] >> 28 | x.v[3] << 36) & MASK52, x.v[3] >> 16}};
}

// Coordinates of the curve's points.
struct BaseField {
    static constexpr Limbs p{
        {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
};

// Scalars: the circuits' signals. 5 is the least element that is not a square; p - 1 has 28 factors of 2.
struct ScalarField {
    static constexpr Limbs p{
        {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};
    static constexpr u64 generator = 5;
    static constexpr int two_adicity = 28;
};

}  // namespace zkm
