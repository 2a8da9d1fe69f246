// SPDX-License-Identifier: GPL-3.0-or-later
// Python module zkmargin._kernel. Words are 32 bytes, little-endian, below the field's modulus. Errors are ValueError.
// Every call that works on a batch releases the interpreter lock.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "book.hpp"
#include "kernel.hpp"
#include "parallel.hpp"

namespace py = pybind11;
using namespace zkm;

namespace {

std::vector<const Arch*> known_archs() {
#if defined(__x86_64__)
    return {&arch_ifma, &arch_adx, &arch_portable};
#else
    return {&arch_portable};
#endif
}

std::atomic<const Arch*> active{nullptr};

void select_arch(const std::string& name) {
    for (const Arch* arch : known_archs())
        if (arch->supported() && (name == "auto" || name == arch->name)) {
            active = arch;
            return;
        }
    throw BadInput("this machine has no kernel named " + name);
}

// A contiguous read-only view of any bytes-like object; holds the buffer while it lives.
struct View {
    Py_buffer buffer{};
    explicit View(const py::handle& source) {
        if (PyObject_GetBuffer(source.ptr(), &buffer, PyBUF_SIMPLE)) throw py::error_already_set();
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() { PyBuffer_Release(&buffer); }
    const u8* data() const { return static_cast<const u8*>(buffer.buf); }
    size_t size() const { return static_cast<size_t>(buffer.len); }
};

py::bytes new_bytes(size_t size) {
    PyObject* object = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
    if (!object) throw py::error_already_set();
    return py::reinterpret_steal<py::bytes>(object);
}

u8* bytes_data(const py::bytes& object) { return reinterpret_cast<u8*>(PyBytes_AS_STRING(object.ptr())); }

void check_below(const u8* words, size_t count, const Limbs& modulus, const char* what) {
    for (size_t i = 0; i < count; i++)
        if (!less(load_limbs(words + 32 * i), modulus))
            throw BadInput(std::string(what) + " " + std::to_string(i) + " is not below the field's modulus");
}

std::array<std::shared_ptr<const PoseidonTable>, POSEIDON_MAX_WIDTH + 1> poseidon_tables;
std::mutex poseidon_guard;

void poseidon_load(int width, const py::buffer& constants) {
    const int t = width + 1;
    if (t < 2 || t > POSEIDON_MAX_WIDTH) throw BadInput("Poseidon takes 1 to 16 inputs, not " + std::to_string(width));
    View view(constants);
    const size_t words = view.size() / 32, fixed = PoseidonTable::words(t, 0);
    if (view.size() % 32 || words <= fixed || (words - fixed) % (2 * t))
        throw BadInput("Poseidon constants have an unexpected length: " + std::to_string(view.size()) + " bytes");
    check_below(view.data(), words, ScalarField::p, "constant");
    auto table = std::make_shared<PoseidonTable>();
    table->t = t;
    table->partial_rounds = static_cast<int>((words - fixed) / (2 * t));
    const size_t rp = table->partial_rounds;
    const u8* at = view.data();
    auto take = [&](std::vector<Limbs>& into, size_t count) {
        into.resize(count);
        std::memcpy(into.data(), at, 32 * count);
        active.load()->to_montgomery(into.data(), count);
        at += 32 * count;
        for (Limbs x : into) {
            for (int i = 0; i < 4; i++) {  // from times 2^256 to times 2^260
                x = add_raw(x, x);
                if (!less(x, ScalarField::p)) x = subtract_raw(x, ScalarField::p);
            }
            const Limbs52 limbs = split(x);
            table->wide.insert(table->wide.end(), limbs.v, limbs.v + 5);
        }
    };
    take(table->before, 5 * t);
    take(table->pre, t * t);
    take(table->partial, rp);
    take(table->rows, rp * t);
    take(table->columns, rp * (t - 1));
    take(table->after, 3 * t);
    take(table->mds, t * t);
    std::lock_guard<std::mutex> lock(poseidon_guard);
    poseidon_tables[t] = table;
}

py::bytes poseidon(int width, const py::buffer& inputs, int threads) {
    std::shared_ptr<const PoseidonTable> table;
    if (width >= 1 && width < POSEIDON_MAX_WIDTH) {
        std::lock_guard<std::mutex> lock(poseidon_guard);
        table = poseidon_tables[width + 1];
    }
    if (!table) throw BadInput("no Poseidon constants loaded for " + std::to_string(width) + " inputs");
    View view(inputs);
    const size_t block = 32 * (size_t)width, count = view.size() / block;
    if (view.size() % block)
        throw BadInput("input of " + std::to_string(view.size()) + " bytes is no multiple of " + std::to_string(block));
    py::bytes result = new_bytes(32 * count);
    u8* out = bytes_data(result);
    const Arch* arch = active;
    auto run = [&](size_t begin, size_t end) {
        check_below(view.data() + begin * block, (end - begin) * width, ScalarField::p, "input word");
        arch->poseidon(*table, view.data() + begin * block, end - begin, out + 32 * begin);
    };
    if (count < 4) {
        run(0, count);
    } else {
        py::gil_scoped_release unlocked;
        parallel_ranges(count, 64, threads, run);
    }
    return result;
}

py::bytes field_op(const std::string& field, const std::string& name, const py::buffer& a, const py::buffer& b) {
    static const char* const names[] = {"add", "sub", "mul", "neg", "inverse"};
    int op = -1;
    for (int i = 0; i < 5; i++)
        if (name == names[i]) op = i;
    if (op < 0 || (field != "base" && field != "scalar")) throw BadInput("no operation " + name + " on field " + field);
    View x(a), y(b);
    if (x.size() % 32 || x.size() != y.size()) throw BadInput("operands must be equally many 32-byte words");
    const Limbs& modulus = field == "base" ? BaseField::p : ScalarField::p;
    check_below(x.data(), x.size() / 32, modulus, "left operand");
    check_below(y.data(), y.size() / 32, modulus, "right operand");
    py::bytes result = new_bytes(x.size());
    active.load()->field_op(field == "scalar", static_cast<FieldOp>(op), x.data(), y.data(), x.size() / 32, bytes_data(result));
    return result;
}

// A buffer read as exactly `count` numbers.
template <class Number>
const Number* numbers(const View& view, size_t count, const char* what) {
    if (view.size() != count * sizeof(Number))
        throw BadInput(std::string(what) + " have " + std::to_string(view.size()) + " bytes, not " + std::to_string(count * sizeof(Number)));
    if (count && reinterpret_cast<uintptr_t>(view.data()) % alignof(Number)) throw BadInput(std::string(what) + " are not aligned");
    return reinterpret_cast<const Number*>(view.data());
}

py::bytes signs_of_book(const py::buffer& balances, const py::buffer& classes, const py::buffer& sizes, const py::buffer& units, double weight) {
    View b(balances), c(classes), s(sizes), u(units);
    const size_t rows = b.size() / sizeof(double), known = u.size() / sizeof(double);
    if (known > BOOK_CLASSES) throw BadInput("there are at most " + std::to_string(BOOK_CLASSES) + " classes");
    const double* given = numbers<double>(u, known, "unit values");
    const double* balance = numbers<double>(b, rows, "balances");
    const u16* class_ids = numbers<u16>(c, rows * BOOK_SLOTS, "class ids");
    const double* size = numbers<double>(s, rows * BOOK_SLOTS, "sizes");
    py::bytes result = new_bytes(rows);
    Sign* out = reinterpret_cast<Sign*>(bytes_data(result));
    py::gil_scoped_release unlocked;
    std::vector<double> table(BOOK_CLASSES, std::numeric_limits<double>::quiet_NaN());
    std::copy(given, given + known, table.begin());
    book_signs(balance, class_ids, size, rows, table.data(), weight, out);
    return result;
}

void dev_setup(const std::vector<std::pair<std::string, std::string>>& pairs, int threads, const py::object& progress) {
    std::vector<SetupJob> jobs;
    for (const auto& [r1cs, zkey] : pairs) jobs.push_back({r1cs, zkey});
    const Arch* arch = active;
    py::gil_scoped_release unlocked;
    arch->dev_setup(jobs, threads, [&](size_t circuit, const char* step) {
        py::gil_scoped_acquire locked;
        if (PyErr_CheckSignals()) throw py::error_already_set();
        if (!progress.is_none()) progress(circuit, step);
    });
}

class Prover {
public:
    Prover(const std::string& zkey, int threads) {
        py::gil_scoped_release unlocked;
        key_ = active.load()->load_prover(zkey, threads);
    }
    u32 wires() const { return key_->wires; }
    u32 public_signals() const { return key_->public_signals; }

    py::bytes prove(const py::buffer& witness, int threads) const {
        Parts parts;
        return prove(witness, threads, parts);
    }

    std::map<std::string, double> profile(const py::buffer& witness) const {
        Parts parts;
        prove(witness, 1, parts);
        return parts.seconds();
    }

private:
    py::bytes prove(const py::buffer& witness, int threads, Parts& parts) const {
        View view(witness);
        const u8* words = view.data();
        if (view.size() != 32 * (size_t)key_->wires)
            throw BadInput("the witness has " + std::to_string(view.size()) + " bytes; the key is for " +
                           std::to_string(key_->wires) + " words of 32");
        py::bytes result = new_bytes(PROOF_BYTES);
        u8* out = bytes_data(result);
        py::gil_scoped_release unlocked;
        check_below(words, key_->wires, ScalarField::p, "witness word");
        if (!(load_limbs(words) == Limbs{{1, 0, 0, 0}})) throw BadInput("the first word of a witness must be 1");
        key_->prove(words, threads, out, parts);
        return result;
    }

    std::unique_ptr<Groth16> key_;
};

py::bytes msm(const std::string& group, const py::buffer& points, const py::buffer& scalars, int bits, int threads) {
    if (group != "g1" && group != "g2") throw BadInput("no group " + group);
    if (bits != 0 && (bits < 2 || bits > 16)) throw BadInput("digits have 2 to 16 bits");
    View p(points), k(scalars);
    const size_t count = k.size() / 32, size = group == "g2" ? 128 : 64;
    if (k.size() % 32 || p.size() != count * size) throw BadInput("points and scalars differ in number");
    check_below(p.data(), p.size() / 32, BaseField::p, "coordinate");
    check_below(k.data(), count, ScalarField::p, "scalar");
    std::vector<Limbs> words(count);
    if (count) std::memcpy(words.data(), k.data(), k.size());
    py::bytes result = new_bytes(size);
    active.load()->msm(group == "g2", p.data(), words.data(), count, bits, threads, bytes_data(result));
    return result;
}

py::bytes coset_shift(const py::buffer& values) {
    View view(values);
    int log_size = 0;
    while (log_size < 24 && (size_t{32} << log_size) < view.size()) log_size++;
    if ((size_t{32} << log_size) != view.size()) throw BadInput("the number of values must be a power of two");
    check_below(view.data(), view.size() / 32, ScalarField::p, "value");
    std::vector<Limbs> words(view.size() / 32);
    std::memcpy(words.data(), view.data(), view.size());
    active.load()->coset_shift(words.data(), log_size);
    return py::bytes(reinterpret_cast<const char*>(words.data()), view.size());
}

}  // namespace

PYBIND11_MODULE(_kernel, m) {
    m.doc() = "Field, hash and proof arithmetic over BN254.";
    py::register_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const BadInput& e) {
            PyErr_SetString(PyExc_ValueError, e.what());
        }
    });
    select_arch("auto");
    m.def("archs", [] {
        py::list names;
        for (const Arch* arch : known_archs())
            if (arch->supported()) names.append(arch->name);
        return names;
    }, "Instruction-set builds this machine can run, best first.");
    m.def("arch", [] { return std::string(active.load()->name); }, "The build in use.");
    m.def("select", &select_arch, py::arg("name"), "Use the build of this name, or the best one for 'auto'.");
    m.def("field_op", &field_op, py::arg("field"), py::arg("op"), py::arg("a"), py::arg("b"),
          "Element-wise add, sub, mul, neg or inverse on words of the 'base' or 'scalar' field.");
    m.def("poseidon_load", &poseidon_load, py::arg("width"), py::arg("constants"),
          "Set the factored constants for `width` inputs.");
    m.def("poseidon", &poseidon, py::arg("width"), py::arg("inputs"), py::arg("threads") = 1,
          "Hash consecutive groups of `width` words; one word each.");
    m.def("book_signs", &signs_of_book, py::arg("balances"), py::arg("classes"), py::arg("sizes"), py::arg("units"), py::arg("weight"),
          "A byte a row: 0 where the sum is certainly not below 0, 1 where it certainly is, 2 where floating point can't tell.");
    m.def("dev_setup", &dev_setup, py::arg("circuits"), py::arg("threads") = 1, py::arg("progress") = py::none(),
          "Make development keys: (r1cs path, zkey path) pairs that share tau, alpha and beta. `progress` is called "
          "with a circuit's index and a step's name.");
    py::class_<Prover>(m, "Prover", "A Groth16 proving key in snarkjs's .zkey form, checked and loaded once.")
        .def(py::init<const std::string&, int>(), py::arg("zkey"), py::arg("threads") = 1)
        .def_property_readonly("wires", &Prover::wires, "Words of a witness.")
        .def_property_readonly("public_signals", &Prover::public_signals, "Public signals, without the constant 1.")
        .def("profile", &Prover::profile, py::arg("witness"),
             "CPU seconds of a proof's parts, in one thread: rows, transforms, digits, a, b, c, h, blinding.")
        .def("prove", py::overload_cast<const py::buffer&, int>(&Prover::prove, py::const_), py::arg("witness"), py::arg("threads") = 1,
             "256 bytes: A, B with the imaginary part of each coordinate first, C, big-endian. Verify before use: a "
             "witness that does not meet the constraints gives a proof that does not hold.");
    m.def("msm", &msm, py::arg("group"), py::arg("points"), py::arg("scalars"), py::arg("bits") = 0,
          py::arg("threads") = 1, "Sum of scalars times affine points of 'g1' or 'g2'; (0, 0) is infinity.");
    m.def("coset_shift", &coset_shift, py::arg("values"),
          "A polynomial's values on the subgroup of order 2^k to those on its coset by the root of order 2^(k+1).");
}
