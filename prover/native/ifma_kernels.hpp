// SPDX-License-Identifier: GPL-3.0-or-later
// Entry points of the AVX-512 IFMA kernels. Point coordinates here are in "stored" form, x * 2^260 mod p in four words;
// the rest of the kernel works with x * 2^256. Plain pointers only: the code behind must share no inline function with
// code that runs on other machines.
#pragma once
#include "limbs.hpp"

namespace zkm::ifma52 {

constexpr int POSEIDON_MAX_WIDTH = 17;

bool supported();

constexpr size_t CHAINS = 2;             // independent product chains, to hide latencies
constexpr size_t LANES = 8 * CHAINS;     // pairs must come in multiples of this

// Scratch bytes for `pairs` additions of points of G1 or G2; the pointer must be aligned to 64 bytes.
size_t scratch_bytes(bool g2, size_t pairs);

// The address of an affine point (64 or 128 bytes, aligned at least to 8), plus 1 to mean its negative.
using SignedPoint = std::uintptr_t;

// First half of `pairs` additions left[i] + right[i]: reads all points, works out the slopes' denominators and leaves
// their products, one a lane, in products[0..LANES): stored form, one or two words each.
void add_forward(bool g2, const SignedPoint* left, const SignedPoint* right, size_t pairs, void* scratch,
                 Limbs* products);

// Second half, given the products' inverses in stored form: writes out[i], which may be where points were read from.
void add_backward(bool g2, size_t pairs, const void* scratch, const Limbs* inverses, void* const* out);

// Eight hashes of t - 1 consecutive canonical words each. `constants` is PoseidonTable::wide.
void poseidon_eight(const u64* constants, int t, int partial_rounds, const u8* in, u8* out);

// Blocks of eight elements of the scalar field; their memory is aligned to 64 bytes, counts are multiples of 8.
size_t block_bytes(size_t count);
// Without a factor as they are, else times factor / 2^260.
void load_blocks(const Limbs* words, size_t count, const Limbs* factor, void* blocks);
// Element i to words[-i mod count], reduced.
void store_reversed(const void* blocks, size_t count, Limbs* words);
// See CosetShift; count >= 64. Leaves value i at -i mod count. `shift` is in the order of shift_position().
void coset_shift(void* data, size_t count, const void* roots, const void* shift);
// Where in `shift` the element stands that coset_shift() multiplies with the one in place i.
constexpr size_t shift_position(size_t i) { return (i & ~size_t{63}) | (i & 7) << 3 | (i >> 3 & 7); }

// Field elements between x * 2^256 and x * 2^260, in place; base field.
void to_stored(Limbs* words, size_t count);
void from_stored(Limbs* words, size_t count);

}  // namespace zkm::ifma52
