// SPDX-License-Identifier: GPL-3.0-or-later
// x86-64 with mulx (BMI2) and adcx/adox (ADX): Intel since Broadwell, AMD since Zen.
#if defined(__x86_64__)
#define ZKM_ARCH adx
#define ZKM_ADX 1
#define ZKM_IFMA 0
#include <cpuid.h>

#include "arch_impl.hpp"

namespace zkm {

static bool has_mulx_and_adx() {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 8 & 1) && (b >> 19 & 1);
}

const Arch arch_adx{
    "adx", has_mulx_and_adx, adx::field_op, adx::to_montgomery, adx::poseidon_batch,
    adx::dev_setup,
    adx::load_prover, adx::msm, adx::coset_shift,
};

}  // namespace zkm
#endif
