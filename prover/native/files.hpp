// SPDX-License-Identifier: GPL-3.0-or-later
// The binary container of .r1cs and .zkey files: magic, version, sections of (type, length, bytes). Every read is
// checked against the section it is in; what does not fit is BadInput naming the file.
#pragma once
#include <cstdio>
#include <map>
#include <string>

#include "kernel.hpp"

namespace zkm {

// A whole file mapped read-only.
class MappedFile {
public:
    explicit MappedFile(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    const u8* data() const { return data_; }
    size_t size() const { return size_; }

private:
    const u8* data_ = nullptr;
    size_t size_ = 0;
};

// A cursor over bytes that cannot leave them.
class Reader {
public:
    Reader(const u8* data, u64 size, std::string name) : at_(data), end_(data + size), name_(std::move(name)) {}
    u64 left() const { return static_cast<u64>(end_ - at_); }
    const u8* take(u64 bytes) {
        if (bytes > left()) fail("ends too early");
        const u8* here = at_;
        at_ += bytes;
        return here;
    }
    u32 number() {
        u32 x;
        std::memcpy(&x, take(4), 4);
        return x;
    }
    u64 long_number() {
        u64 x;
        std::memcpy(&x, take(8), 8);
        return x;
    }
    Limbs word() { return load_limbs(take(32)); }
    // A word that must be below `modulus`.
    Limbs element(const Limbs& modulus) {
        const Limbs x = word();
        if (!less(x, modulus)) fail("holds a number that is not below its field's modulus");
        return x;
    }
    void expect_end() {
        if (left()) fail("is longer than its contents");
    }
    [[noreturn]] void fail(const std::string& what) const { throw BadInput(name_ + " " + what); }

private:
    const u8* at_;
    const u8* end_;
    std::string name_;
};

class SectionFile {
public:
    // Throws BadInput unless the file is a container with this four-letter magic and version 1.
    SectionFile(const std::string& path, const char* magic);
    Reader section(u32 type) const;
    bool has(u32 type) const { return sections_.count(type) != 0; }
    const std::string& path() const { return path_; }

private:
    struct Span {
        const u8* data;
        u64 size;
    };
    std::string path_;
    MappedFile file_;
    std::map<u32, Span> sections_;
};

// Writes a container; the file takes its name only when finish() succeeds.
class SectionWriter {
public:
    SectionWriter(std::string path, const char* magic, u32 sections);
    ~SectionWriter();
    SectionWriter(const SectionWriter&) = delete;
    SectionWriter& operator=(const SectionWriter&) = delete;
    void begin(u32 type);
    void end();
    void write(const void* data, size_t bytes);
    void number(u32 x) { write(&x, 4); }
    void finish();

private:
    [[noreturn]] void fail(const char* what) const;
    void patch(long position, const void* data, size_t bytes);
    std::string path_, draft_;
    std::FILE* file_ = nullptr;
    long length_at_ = 0;
};

}  // namespace zkm
