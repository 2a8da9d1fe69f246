// SPDX-License-Identifier: GPL-3.0-or-later
// Python module zkmargin._kernel. Words are 32 bytes, little-endian, below the field's modulus. Errors are ValueError.
// Every call that works on a batch releases the interpreter lock.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernel.hpp"
#include "parallel.hpp"

namespace py = pybind11;
using namespace zkm;

namespace {

std::vector<const Arch*> known_archs() {
#if defined(__x86_64__)
    return {&arch_adx, &arch_portable};
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
    m.def("dev_setup", &dev_setup, py::arg("circuits"), py::arg("threads") = 1, py::arg("progress") = py::none(),
          "Make development keys: (r1cs path, zkey path) pairs that share tau, alpha and beta. `progress` is called "
          "with a circuit's index and a step's name.");
}
