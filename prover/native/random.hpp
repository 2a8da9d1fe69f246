// SPDX-License-Identifier: GPL-3.0-or-later
// Secret scalars from the operating system.
#pragma once
#include <sys/random.h>

#include <cerrno>
#include <stdexcept>

#include "limbs.hpp"

namespace zkm {

// Uniform in 2..p-1: never 0, nor 1, which would make a secret equal to a public generator.
inline Limbs random_scalar() {
    for (;;) {
        Limbs x;
        size_t have = 0;
        while (have < sizeof x) {
            const ssize_t got = getrandom(reinterpret_cast<u8*>(&x) + have, sizeof x - have, 0);
            if (got < 0 && errno != EINTR) throw std::runtime_error("the system gives no random numbers");
            if (got > 0) have += static_cast<size_t>(got);
        }
        x.v[3] &= 0x3fffffffffffffff;
        if (less(x, ScalarField::p) && !less(x, Limbs{{2, 0, 0, 0}})) return x;
    }
}

// Overwrites a secret in a way the compiler may not drop.
template <class T>
void wipe(T& secret) {
    volatile u8* at = reinterpret_cast<volatile u8*>(&secret);
    for (size_t i = 0; i < sizeof secret; i++) at[i] = 0;
}

}  // namespace zkm
