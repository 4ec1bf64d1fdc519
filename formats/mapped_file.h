// A whole file as bytes in memory, without reading it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace expctl {

/// The bytes live as long as a copy of `owner`. A file that is cut short by somebody else meanwhile ends the
/// program (SIGBUS), as with every mapping.
struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Throws Error naming the file (kNotFound where there is none).
MappedFile map_file(const std::filesystem::path& path);

/// Lets go of the memory that looking at `bytes` of a mapped file has taken (of nothing else: they must be
/// read from the file when they are looked at again).
void release_pages(std::span<const std::byte> bytes);

}  // namespace expctl
