// CRC-32C (Castagnoli), the checksum of leveldb's tables and TensorFlow's checkpoints.
//
// Source: RFC 3720, appendix B.4; eight tables ("slicing by 8", Kounavis and Berry 2005) check 440 MB in a
// fraction of a second on any machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace expctl {

uint32_t crc32c(std::span<const std::byte> bytes);

/// As leveldb stores a checksum: rotated and moved by a constant, since the CRC of bytes that hold their own
/// CRC says little.
uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace expctl
