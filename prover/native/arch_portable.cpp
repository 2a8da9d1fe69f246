// SPDX-License-Identifier: GPL-3.0-or-later
// Plain C++: runs everywhere, and is what the others are tested against.
#define ZKM_ARCH portable
#define ZKM_ADX 0
#define ZKM_IFMA 0
#include "arch_impl.hpp"

namespace zkm {

const Arch arch_portable{
    "portable", [] { return true; }, portable::field_op, portable::to_montgomery, portable::poseidon_batch,
    portable::dev_setup,
    portable::load_prover, portable::msm, portable::coset_shift,
};

}  // namespace zkm
