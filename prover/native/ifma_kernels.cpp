// SPDX-License-Identifier: GPL-3.0-or-later
#include "ifma_kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

namespace zkm::ifma52 {

// AVX-512 F, DQ, VL and IFMA, and an operating system that saves their registers.
bool supported() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return false;
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 0xe6) != 0xe6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const unsigned needed = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 31;
    return (b & needed) == needed;
}

}  // namespace zkm::ifma52

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512ifma")
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns inside its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#include "ifma_field.hpp"
#include "ifma_pairs.hpp"
#include "ifma_poseidon.hpp"
// After it, as it uses its field.
#include "ifma_ntt.hpp"

namespace zkm::ifma52 {

size_t scratch_bytes(bool g2, size_t pairs) { return pairs / 8 * (g2 ? sizeof(Group<Plane>) : sizeof(Group<Line>)); }

void add_forward(bool g2, const SignedPoint* left, const SignedPoint* right, size_t pairs, void* scratch,
                 Limbs* products) {
    g2 ? forward(left, right, pairs, static_cast<Group<Plane>*>(scratch), products)
       : forward(left, right, pairs, static_cast<Group<Line>*>(scratch), products);
}

void add_backward(bool g2, size_t pairs, const void* scratch, const Limbs* inverses, void* const* out) {
    g2 ? backward(pairs, static_cast<const Group<Plane>*>(scratch), inverses, out)
       : backward(pairs, static_cast<const Group<Line>*>(scratch), inverses, out);
}

// Words times a constant / 2^260, eight at a time.
static void scale(Limbs* words, size_t count, const Limbs& factor) {
    const Fq8 k = Fq8::constant(split(factor));
    for (size_t i = 0; i < count; i += 8) {
        alignas(64) u64 lanes[4][8] = {};
        const size_t n = count - i < 8 ? count - i : 8;
        for (size_t lane = 0; lane < n; lane++)
            for (int j = 0; j < 4; j++) lanes[j][lane] = words[i + lane].v[j];
        V w[4];
        for (int j = 0; j < 4; j++) w[j] = _mm512_load_si512(lanes[j]);
        (Fq8::unpack(w) * k).canonical().pack(w);
        for (int j = 0; j < 4; j++) _mm512_store_si512(lanes[j], w[j]);
        for (size_t lane = 0; lane < n; lane++)
            for (int j = 0; j < 4; j++) words[i + lane].v[j] = lanes[j][lane];
    }
}

void to_stored(Limbs* words, size_t count) { scale(words, count, power_of_two(BaseField::p, 264)); }
void from_stored(Limbs* words, size_t count) { scale(words, count, power_of_two(BaseField::p, 256)); }

}  // namespace zkm::ifma52
#pragma GCC pop_options

#endif
