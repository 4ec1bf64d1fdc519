// SHA-256, the one hash of expctl: file identities, config hashes, manifests. Always lower-case hex, 64
// characters.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace expctl {

/// A running SHA-256: update() any number of times, then hex() once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

/// Reads in pieces, so the file may be larger than memory. Throws Error.
std::string sha256_file(const std::filesystem::path& path);

/// Whether the file is there and has this hash.
bool is_unchanged(const std::filesystem::path& path, std::string_view sha256);

/// The identity of a folder of weights: the hash over "name\0hash\n" of its regular files (not its
/// subfolders), sorted by name; without hidden files and *.md, which say nothing to a model.
std::string sha256_folder(const std::filesystem::path& folder);

}  // namespace expctl
