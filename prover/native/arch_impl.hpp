// SPDX-License-Identifier: GPL-3.0-or-later
// The function table of one instruction-set build; arch_*.cpp set ZKM_ARCH and ZKM_ADX and include this.
#pragma once
#include "dev_setup_impl.hpp"
#include "field.hpp"
#include "groth16_impl.hpp"
#include "kernel.hpp"
#include "poseidon_impl.hpp"

namespace zkm::ZKM_ARCH {

template <class F>
void field_op_on(FieldOp op, const u8* a, const u8* b, size_t count, u8* out) {
    for (size_t i = 0; i < count; i++) {
        const F x = F::from_canonical(load_limbs(a + 32 * i)), y = F::from_canonical(load_limbs(b + 32 * i));
        F r = x;
        switch (op) {
            case FieldOp::add: r = x + y; break;
            case FieldOp::sub: r = x - y; break;
            case FieldOp::mul: r = x * y; break;
            case FieldOp::neg: r = x.neg(); break;
            case FieldOp::inverse: r = x.inverse(); break;
        }
        const Limbs word = r.canonical();
        std::memcpy(out + 32 * i, &word, 32);
    }
}

inline void field_op(bool scalar, FieldOp op, const u8* a, const u8* b, size_t count, u8* out) {
    scalar ? field_op_on<Fr>(op, a, b, count, out) : field_op_on<Fq>(op, a, b, count, out);
}

inline void to_montgomery(Limbs* words, size_t count) {
    for (size_t i = 0; i < count; i++) words[i] = Fr::from_canonical(words[i]);
}

}  // namespace zkm::ZKM_ARCH
