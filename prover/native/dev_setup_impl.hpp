// SPDX-License-Identifier: GPL-3.0-or-later
// Groth16 keys in snarkjs's .zkey layout, from constraint systems. The circuits of one call share tau, alpha and beta;
// each has its own delta. gamma is 1, as in snarkjs.
#pragma once
#include <memory>

#include "dev_setup.hpp"
#include "domain.hpp"
#include "fixed_base.hpp"
#include "r1cs.hpp"
#include "random.hpp"

namespace zkm::ZKM_ARCH {

struct SetupSecrets {
    Fr tau, alpha, beta;
    ~SetupSecrets() { wipe(*this); }
};

// Values from which tau could be computed; overwritten when they go.
struct SecretValues : std::vector<Fr> {
    SecretValues() = default;
    explicit SecretValues(std::vector<Fr>&& values) : std::vector<Fr>(std::move(values)) {}
    SecretValues& operator=(std::vector<Fr>&& values) {
        swap(values);
        return *this;
    }
    ~SecretValues() {
        for (Fr& value : *this) wipe(value);
    }
};

// A circuit's polynomials at tau, per wire: A, B and C of the constraints, and the quotient's basis.
struct QapAtTau {
    SecretValues a, b, c, h;
};

class CircuitSetup {
public:
    CircuitSetup(const SetupJob& job, int threads) : job_(job), r1cs_(job.r1cs), threads_(threads) {
        const u64 rows = (u64)r1cs_.header.constraints + r1cs_.header.public_signals() + 1;
        while ((u64{1} << log_domain_) < rows) log_domain_++;
        if (log_domain_ >= ScalarField::two_adicity)
            throw BadInput(job.r1cs + " has " + std::to_string(rows) + " rows, more than the field's 2^27");
    }

    size_t g1_points() const { return 3 * (size_t)r1cs_.header.wires + domain_size(); }
    size_t g2_points() const { return r1cs_.header.wires; }

    void run(const SetupSecrets& secrets, const FixedBase<Fq>& g1, const FixedBase<Fq2>& g2, size_t index,
             const SetupProgress& progress) {
        progress(index, "constraints");
        SectionWriter file(job_.zkey, "zkey", 10);
        Fr delta = Fr::from_canonical(random_scalar());
        Fr delta_inverse = delta.inverse();
        write_headers(file, secrets, delta, g1, g2);
        QapAtTau qap = evaluate(file, secrets.tau);

        const u32 wires = r1cs_.header.wires, first_private = r1cs_.header.public_signals() + 1;
        SecretValues k(std::vector<Fr>(wires, Fr::zero()));  // beta A + alpha B + C, over delta for private wires
        for (u32 i = 0; i < wires; i++) {
            k[i] = secrets.beta * qap.a[i] + secrets.alpha * qap.b[i] + qap.c[i];
            if (i >= first_private) k[i] = k[i] * delta_inverse;
        }
        // The coset's values of h come divided by -2 (the vanishing polynomial there is -2).
        Fr scale = (secrets.tau.pow(Limbs{{domain_size(), 0, 0, 0}}) - Fr::one()) * Fr::from_u64(2).neg().inverse();
        scale = scale * delta_inverse;
        for (Fr& h : qap.h) h = h * scale;
        wipe(delta);
        wipe(delta_inverse);
        wipe(scale);

        progress(index, "points");
        section(file, 3, k.data(), first_private, g1);
        section(file, 5, qap.a.data(), wires, g1);
        section(file, 6, qap.b.data(), wires, g1);
        progress(index, "G2 points");
        section(file, 7, qap.b.data(), wires, g2);
        progress(index, "quotient points");
        section(file, 8, k.data() + first_private, wires - first_private, g1);
        section(file, 9, qap.h.data(), qap.h.size(), g1);
        file.begin(10);  // no contributions
        const u8 no_hash[64] = {};
        file.write(no_hash, 64);
        file.number(0);
        file.end();
        file.finish();
    }

private:
    u64 domain_size() const { return u64{1} << log_domain_; }

    void write_headers(SectionWriter& file, const SetupSecrets& s, const Fr& delta, const FixedBase<Fq>& g1,
                       const FixedBase<Fq2>& g2) const {
        file.begin(1);
        file.number(1);  // Groth16
        file.end();
        file.begin(2);
        file.number(32);
        file.write(&BaseField::p, 32);
        file.number(32);
        file.write(&ScalarField::p, 32);
        file.number(r1cs_.header.wires);
        file.number(r1cs_.header.public_signals());
        file.number(static_cast<u32>(domain_size()));
        point(file, g1, s.alpha);
        point(file, g1, s.beta);
        point(file, g2, s.beta);
        point(file, g2, Fr::one());
        point(file, g1, delta);
        point(file, g2, delta);
        file.end();
    }

    // Reads the constraints once: writes the coefficients of A and B and sums the polynomials' values at tau.
    QapAtTau evaluate(SectionWriter& file, const Fr& tau) const {
        const R1csHeader& header = r1cs_.header;
        const Reader constraints = r1cs_.constraints();
        const SecretValues lagrange(lagrange_values(log_domain_, Fr::one(), tau, threads_));
        QapAtTau qap;
        for (auto* values : {&qap.a, &qap.b, &qap.c}) values->assign(header.wires, Fr::zero());
        u32 count = header.public_signals() + 1;
        r1cs_.each_term(constraints, [&](int matrix, u32, u32, const Limbs&) {
            if (matrix < 2 && ++count == 0) throw BadInput(job_.r1cs + " has more than 2^32 coefficients");
        });
        file.begin(4);
        file.number(count);
        auto coefficient = [&](u32 matrix, u32 row, u32 wire, const Fr& value) {
            u8 entry[44];
            const u32 head[3] = {matrix, row, wire};
            const Limbs stored = Fr::from_canonical(value);  // v R^2, which snarkjs expects here
            std::memcpy(entry, head, 12);
            std::memcpy(entry + 12, &stored, 32);
            file.write(entry, 44);
        };
        r1cs_.each_term(constraints, [&](int matrix, u32 row, u32 wire, const Limbs& word) {
            const Fr value = Fr::from_canonical(word);
            Fr& sum = (matrix == 0 ? qap.a : matrix == 1 ? qap.b : qap.c)[wire];
            sum = sum + value * lagrange[row];
            if (matrix < 2) coefficient(static_cast<u32>(matrix), row, wire, value);
        });
        // One further row a public signal keeps the signals' polynomials independent.
        for (u32 i = 0; i <= header.public_signals(); i++) {
            qap.a[i] = qap.a[i] + lagrange[header.constraints + i];
            coefficient(0, header.constraints + i, i, Fr::one());
        }
        file.end();
        qap.h = lagrange_values(log_domain_, root_of_unity(log_domain_ + 1), tau, threads_);
        return qap;
    }

    template <class F>
    static void point(SectionWriter& file, const FixedBase<F>& base, const Fr& scalar) {
        const Limbs k = scalar.canonical();
        Affine<F> p;
        base.multiply(&k, 1, &p);
        file.write(&p, sizeof p);
    }

    template <class F>
    void section(SectionWriter& file, u32 type, const Fr* scalars, size_t count, const FixedBase<F>& base) const {
        std::vector<Affine<F>> points(count);
        parallel_ranges(count, 2048, threads_, [&](size_t begin, size_t end) {
            constexpr size_t block = 2048;
            std::vector<Limbs> words(block);
            for (size_t i = begin; i < end; i += block) {
                const size_t n = std::min(block, end - i);
                for (size_t j = 0; j < n; j++) words[j] = scalars[i + j].canonical();
                base.multiply(words.data(), n, &points[i]);
            }
        });
        file.begin(type);
        file.write(points.data(), count * sizeof(Affine<F>));
        file.end();
    }

    SetupJob job_;
    R1cs r1cs_;
    int threads_, log_domain_ = 0;
};

// Digit width that makes table and multiples together cheapest.
inline int fixed_base_bits(size_t points) {
    int best = 4;
    u64 least = ~u64{0};
    for (int bits = 4; bits <= 14; bits++) {
        const u64 cost = (u64)SignedDigits::windows(bits) * (points + (u64{1} << (bits - 1)));
        if (cost < least) least = cost, best = bits;
    }
    return best;
}

inline void dev_setup(const std::vector<SetupJob>& jobs, int threads, const SetupProgress& progress) {
    std::vector<std::unique_ptr<CircuitSetup>> circuits;  // all headers are read before any work is done
    size_t g1_points = 0, g2_points = 0;
    for (const SetupJob& job : jobs) {
        circuits.push_back(std::make_unique<CircuitSetup>(job, threads));
        g1_points += circuits.back()->g1_points();
        g2_points += circuits.back()->g2_points();
    }
    const FixedBase<Fq> g1(generator((const Fq*)nullptr), fixed_base_bits(g1_points), threads);
    const FixedBase<Fq2> g2(generator((const Fq2*)nullptr), fixed_base_bits(g2_points), threads);
    const SetupSecrets secrets{Fr::from_canonical(random_scalar()), Fr::from_canonical(random_scalar()),
                               Fr::from_canonical(random_scalar())};
    for (size_t i = 0; i < circuits.size(); i++) circuits[i]->run(secrets, g1, g2, i, progress);
}

}  // namespace zkm::ZKM_ARCH
