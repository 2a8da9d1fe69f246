// SPDX-License-Identifier: GPL-3.0-or-later
// The ADX build with batches handed to AVX-512 IFMA: Intel since Ice Lake, AMD since Zen 4.
#if defined(__x86_64__)
#define ZKM_ARCH ifma
#define ZKM_ADX 1
#define ZKM_IFMA 1
#include "arch_impl.hpp"

namespace zkm {

const Arch arch_ifma{
    "ifma", [] { return arch_adx.supported() && ifma52::supported(); },
    ifma::field_op, ifma::to_montgomery, ifma::poseidon_batch, ifma::dev_setup,
    ifma::load_prover, ifma::msm, ifma::coset_shift,
};

}  // namespace zkm
#endif
