// SPDX-License-Identifier: GPL-3.0-or-later
// What each instruction-set build of the arithmetic offers. The module picks the best one the machine supports.
#pragma once
#include <stdexcept>
#include <string>

#include "dev_setup.hpp"
#include "groth16.hpp"
#include "limbs.hpp"
#include "poseidon.hpp"

namespace zkm {

// A caller's mistake: malformed file, wrong length, value out of range. Becomes ValueError.
struct BadInput : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class FieldOp { add, sub, mul, neg, inverse };

struct Arch {
    const char* name;
    bool (*supported)();
    // Element-wise on canonical words of the base (scalar = false) or scalar field; for tests.
    void (*field_op)(bool scalar, FieldOp op, const u8* a, const u8* b, size_t count, u8* out);
    // to: canonical -> Montgomery form, R = 2^256, scalar field.
    void (*to_montgomery)(Limbs* words, size_t count);
    void (*poseidon)(const PoseidonTable& table, const u8* in, size_t count, u8* out);
    void (*dev_setup)(const std::vector<SetupJob>& jobs, int threads, const SetupProgress& progress);
    std::unique_ptr<Groth16> (*load_prover)(const std::string& zkey, int threads);
    // bits 0 chooses the digit width; for tests, as is coset_shift.
    void (*msm)(bool g2, const u8* points, const Limbs* scalars, size_t count, int bits, int threads, u8* out);
    void (*coset_shift)(Limbs* values, int log_size);
};

extern const Arch arch_portable;
#if defined(__x86_64__)
extern const Arch arch_adx;
extern const Arch arch_ifma;
#endif

}  // namespace zkm
