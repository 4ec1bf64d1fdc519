#include "core/hash.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "core/error.h"

namespace expctl {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw Error("SHA-256 is not available in libcrypto");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw errno_error(fmt::format("cannot open {}", path.string()), errno);
  Sha256 hash;
  std::vector<char> buffer(size_t{1} << 20);
  size_t n = 0;
  while ((n = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0) hash.update({buffer.data(), n});
  if (std::ferror(file.get()) != 0) throw errno_error(fmt::format("cannot read {}", path.string()), errno);
  return hash.hex();
}

bool is_unchanged(const std::filesystem::path& path, std::string_view sha256) {
  return std::filesystem::is_regular_file(path) && sha256_file(path) == sha256;
}

std::string sha256_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const bool of_model =
        !entry.path().filename().string().starts_with('.') && entry.path().extension() != ".md";
    if (entry.is_regular_file() && of_model) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Sha256 hash;
  for (const auto& file : files) hash.update(file.filename().string() + '\0' + sha256_file(file) + '\n');
  return hash.hex();
}

}  // namespace expctl
