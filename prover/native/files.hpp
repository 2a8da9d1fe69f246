// SPDX-License-Identifier: GPL-3.0-or-later
// The binary container of .r1cs and .zkey files: magic, version, sections of (type, length, bytes). Every read is
// checked against the section it is in; what does not fit is BadInput naming the file. Memory is asked for only as far
// as the file's length bears it out.
#pragma once
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "kernel.hpp"

namespace zkm {

// A regular file, read by copying and never mapped: another program that cuts or rewrites it meanwhile then changes what
// is read, but cannot take memory from under a reader or change what has been checked.
class InputFile {
public:
    explicit InputFile(const std::string& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    u64 size() const { return size_; }
    // Throws BadInput if the file ends before at + bytes.
    void read(u64 at, void* into, u64 bytes) const;

private:
    std::string path_;
    int file_;
    u64 size_ = 0;
};

// A cursor over bytes that cannot leave them; copies share the bytes.
class Reader {
public:
    Reader(std::shared_ptr<const u8[]> bytes, u64 size, std::string name)
        : bytes_(std::move(bytes)), at_(bytes_.get()), end_(at_ + size), name_(std::move(name)) {}
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
    std::shared_ptr<const u8[]> bytes_;
    const u8* at_;
    const u8* end_;
    std::string name_;
};

class SectionFile {
public:
    // Throws BadInput unless the file is a container with this four-letter magic and version 1, whose sections fill it.
    SectionFile(const std::string& path, const char* magic);
    bool has(u32 type) const { return sections_.count(type) != 0; }
    // Length of a section in bytes. Throws BadInput if there is none of this type, as do the others.
    u64 length(u32 type) const { return find(type).size; }
    // Reads a section into memory.
    Reader section(u32 type) const;
    // The same, but first throws BadInput unless it has this many bytes.
    Reader section(u32 type, u64 bytes) const;
    const std::string& path() const { return path_; }

private:
    static constexpr u32 MOST_SECTIONS = 64;  // .zkey files have 10
    struct Span {
        u64 at, size;
    };
    const Span& find(u32 type) const;
    std::string name(u32 type) const { return path_ + ", section " + std::to_string(type) + ","; }
    std::string path_;
    InputFile file_;
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
