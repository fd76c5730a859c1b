// bpf.h: bpf(2) without a library: maps, and programs of a few instructions that are written out
// here, one to a line, as the kernel's documentation does (Documentation/bpf/standardization/).
//
// A program is a function of the kernel's: r1 is its argument, r0 its result; a call takes its
// arguments from r1 to r5 and leaves r6 to r9 alone. Before it takes a program, the kernel proves
// that it ends and reads nothing that isn't its own. What is made is a descriptor, and goes with
// the last one that refers to it: no program and no map is left behind.
#pragma once

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "harness/unix.h"

namespace ipcbench::bpf {

/// What a call is told, all of it zero: `bpf_attr{}`, of a union, is that for its first member
/// alone.
inline bpf_attr blank() {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  return attributes;
}

/// The call itself: -1 and errno where it fails.
inline long call(bpf_cmd command, bpf_attr& what) {
  return ::syscall(SYS_bpf, command, &what, sizeof what);
}

inline Fd make_map(bpf_map_type type, std::size_t key_size, std::size_t value_size,
                   std::size_t entries) {
  bpf_attr map = blank();
  map.map_type = type;
  map.key_size = static_cast<__u32>(key_size);
  map.value_size = static_cast<__u32>(value_size);
  map.max_entries = static_cast<__u32>(entries);
  return Fd(static_cast<int>(check(call(BPF_MAP_CREATE, map), "bpf", "BPF_MAP_CREATE")));
}

inline void update(const Fd& map, std::uint32_t key, std::uint32_t value) {
  bpf_attr element = blank();
  element.map_fd = static_cast<__u32>(map.get());
  element.key = reinterpret_cast<std::uintptr_t>(&key);
  element.value = reinterpret_cast<std::uintptr_t>(&value);
  check(call(BPF_MAP_UPDATE_ELEM, element), "bpf", "BPF_MAP_UPDATE_ELEM");
}

// Instructions (linux/bpf.h).

constexpr bpf_insn instruction(int code, int to, int from, int offset, int value) {
  bpf_insn made{};
  made.code = static_cast<__u8>(code);
  made.dst_reg = static_cast<__u8>(to & 0xF);
  made.src_reg = static_cast<__u8>(from & 0xF);
  made.off = static_cast<__s16>(offset);
  made.imm = value;
  return made;
}
/// r[to] = value
constexpr bpf_insn set(int to, int value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
/// r[to] = r[from]
constexpr bpf_insn copy(int to, int from) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
/// r[to] += value
constexpr bpf_insn add(int to, int value) {
  return instruction(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}
/// r[to] = *(r[from] + offset), of BPF_W (4), BPF_H (2) or BPF_DW (8) bytes
constexpr bpf_insn load(int size, int to, int from, int offset) {
  return instruction(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
}
/// *(r[to] + offset) = r[from]
constexpr bpf_insn store(int size, int to, int offset, int from) {
  return instruction(BPF_STX | BPF_MEM | size, to, from, offset, 0);
}
/// Leaves out the next `skipped`.
constexpr bpf_insn skip(int skipped) {
  return instruction(BPF_JMP | BPF_JA, 0, 0, skipped, 0);
}
/// The same if r[left] compares (BPF_JEQ, BPF_JNE, BPF_JGT) with a number.
constexpr bpf_insn skip_if(int comparison, int left, int value, int skipped) {
  return instruction(BPF_JMP | comparison | BPF_K, left, 0, skipped, value);
}
/// The same with r[right].
constexpr bpf_insn skip_if_register(int comparison, int left, int right, int skipped) {
  return instruction(BPF_JMP | comparison | BPF_X, left, right, skipped, 0);
}
/// r[to] = a map: the one instruction that is two.
inline bpf_insn map_of(int to, const Fd& map) {
  return instruction(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map.get());
}
constexpr bpf_insn map_continued() {
  return instruction(0, 0, 0, 0, 0);
}
constexpr bpf_insn call_helper(bpf_func_id helper) {
  return instruction(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}
constexpr bpf_insn leave() {
  return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

inline Fd load_program(bpf_prog_type type, std::span<const bpf_insn> instructions,
                       std::uint32_t flags = 0) {
  bpf_attr program = blank();
  program.prog_type = type;
  program.insns = reinterpret_cast<std::uintptr_t>(instructions.data());
  program.insn_cnt = static_cast<__u32>(instructions.size());
  program.license = reinterpret_cast<std::uintptr_t>("");
  program.prog_flags = flags;
  return Fd(static_cast<int>(check(call(BPF_PROG_LOAD, program), "bpf", "BPF_PROG_LOAD")));
}

/// Gives a map of sockets its program.
inline void attach(const Fd& map, const Fd& program, bpf_attach_type type) {
  bpf_attr attachment = blank();
  attachment.target_fd = static_cast<__u32>(map.get());
  attachment.attach_bpf_fd = static_cast<__u32>(program.get());
  attachment.attach_type = type;
  check(call(BPF_PROG_ATTACH, attachment), "bpf", "BPF_PROG_ATTACH");
}

/// Why `make` can't be done here, or "". `rights` is what a user needs for it.
inline std::string why_not(auto make, std::string_view rights) {
  try {
    make();
  } catch (const std::system_error& error) {
    if (error.code().value() == EPERM) return fmt::format("{}; it takes {}", error.what(), rights);
    return error.what();
  }
  return "";
}

}  // namespace ipcbench::bpf
