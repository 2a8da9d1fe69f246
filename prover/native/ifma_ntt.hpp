// SPDX-License-Identifier: GPL-3.0-or-later
// The change from subgroup to coset values, eight elements to a vector. Included by ifma_kernels.cpp.
//
// Both transforms use the same roots: transforming back with w instead of 1/w gives the coefficients in the order
// 0, n-1, .., 1, and so in the end the values in that order, which store_reversed() undoes.
// Data and values stay at whatever power of 2 they came with; only the roots and shifts carry 2^260.
//
// Bounds, in multiples of p: the way to the coefficients keeps elements below 2. The way back adds at most 2 a layer,
// up to 2 + 2 * 28, below the 84 that the multiplier takes.
#pragma once

namespace zkm::ifma52 {

inline void butterfly_down(Fr8& u, Fr8& v, const Fr8& root) {
    const Fr8 difference = u.minus(v, Fr8::raised2);
    u = u.plus(v).reduce_by(Fr8::p2);
    v = difference * root;
}

inline void butterfly_up(Fr8& u, Fr8& v, const Fr8& root) {
    const Fr8 product = v * root;
    v = u.minus(product, Fr8::raised2);
    u = u.plus(product);
}

// One layer over 2 h elements; roots of level h are at blocks h/8 .. 2h/8.
inline void layer_down(Fr8* a, size_t h, const Fr8* roots) {
    const size_t blocks = h / 8;
    for (size_t j = 0; j < blocks; j++) butterfly_down(a[j], a[j + blocks], roots[blocks + j]);
}
inline void layer_up(Fr8* a, size_t h, const Fr8* roots) {
    const size_t blocks = h / 8;
    for (size_t j = 0; j < blocks; j++) butterfly_up(a[j], a[j + blocks], roots[blocks + j]);
}

inline Fr8 broadcast(const Fr8* roots, int index) {
    Fr8 r;
    for (int i = 0; i < 5; i++) r.l[i] = set1(reinterpret_cast<const u64*>(&roots[0].l[i])[index]);
    return r;
}

inline void transpose(Fr8* blocks) {
    for (int limb = 0; limb < 5; limb++) {
        V r[8];
        for (int i = 0; i < 8; i++) r[i] = blocks[i].l[limb];
        transpose(r);
        for (int i = 0; i < 8; i++) blocks[i].l[limb] = r[i];
    }
}

// The three lowest layers down, the shift, and the three lowest layers up, over 64 elements.
inline void turn(Fr8* a, const Fr8* roots, const Fr8* shift) {
    transpose(a);
    for (int h = 4; h >= 1; h /= 2)
        for (int i = 0; i < 8; i += 2 * h)
            for (int j = 0; j < h; j++) butterfly_down(a[i + j], a[i + j + h], broadcast(roots, h + j));
    for (int i = 0; i < 8; i++) a[i] = a[i] * shift[i];
    for (int h = 1; h <= 4; h *= 2)
        for (int i = 0; i < 8; i += 2 * h)
            for (int j = 0; j < h; j++) butterfly_up(a[i + j], a[i + j + h], broadcast(roots, h + j));
    transpose(a);
}

inline void transform(Fr8* a, size_t n, const Fr8* roots, const Fr8* shift) {
    constexpr size_t cached = size_t{1} << 13;
    if (n > cached) {
        layer_down(a, n / 2, roots);
        transform(a, n / 2, roots, shift);
        transform(a + n / 16, n / 2, roots, shift + n / 16);
        layer_up(a, n / 2, roots);
        return;
    }
    for (size_t h = n / 2; h >= 8; h /= 2)
        for (size_t i = 0; i < n; i += 2 * h) layer_down(a + i / 8, h, roots);
    for (size_t i = 0; i < n / 8; i += 8) turn(a + i, roots, shift + i);
    for (size_t h = 8; h < n; h *= 2)
        for (size_t i = 0; i < n; i += 2 * h) layer_up(a + i / 8, h, roots);
}

size_t block_bytes(size_t count) { return count / 8 * sizeof(Fr8); }

void load_blocks(const Limbs* words, size_t count, const Limbs* factor, void* blocks) {
    Fr8* out = static_cast<Fr8*>(blocks);
    const Fr8 k = factor ? Fr8::constant(split(*factor)) : Fr8::one();
    for (size_t i = 0; i < count / 8; i++) {
        V r[8];
        for (int lane = 0; lane < 8; lane++) r[lane] = _mm512_maskz_loadu_epi64(0x0f, words + 8 * i + lane);
        transpose(r);
        out[i] = Fr8::unpack(r);
        if (factor) out[i] = (out[i] * k).canonical();
    }
}

void store_reversed(const void* blocks, size_t count, Limbs* words) {
    const Fr8* in = static_cast<const Fr8*>(blocks);
    for (size_t i = 0; i < count / 8; i++) {
        V r[8] = {};
        (in[i] * Fr8::one()).canonical().pack(r);  // a product with one comes from below 84 p to below 2 p
        transpose(r);
        for (size_t lane = 0; lane < 8; lane++)
            _mm512_mask_storeu_epi64(words + (count - 8 * i - lane) % count, 0x0f, r[lane]);
    }
}

void coset_shift(void* data, size_t count, const void* roots, const void* shift) {
    transform(static_cast<Fr8*>(data), count, static_cast<const Fr8*>(roots), static_cast<const Fr8*>(shift));
}

}  // namespace zkm::ifma52
