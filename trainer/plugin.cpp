#include "trainer/plugin.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>

namespace expctl {
namespace {

std::filesystem::path library_file(const Plugin& plugin) {
  const auto file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / plugin.file;
  if (!std::filesystem::exists(file)) throw plugin.absent;
  return file;
}

}  // namespace

void* plugin_function(const Plugin& plugin, const char* name) {
  const auto file = library_file(plugin);
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr)
    throw Error(fmt::format("{} does not load: {}", file.string(), dlerror()), plugin.needs);
  void* function = dlsym(library, name);
  if (function == nullptr) throw Error(fmt::format("{} is no library of expctl-train", file.string()));
  return function;
}

}  // namespace expctl
