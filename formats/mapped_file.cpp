#include "formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace expctl {

MappedFile map_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw errno_error("cannot open " + path.string(), errno);
  struct stat status {};
  void* address = nullptr;
  size_t size = 0;
  if (::fstat(fd, &status) == 0) size = static_cast<size_t>(status.st_size);
  if (size > 0) address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (address == MAP_FAILED) throw errno_error("cannot read " + path.string(), error);
  if (address == nullptr) return {};
  return {{static_cast<const std::byte*>(address), size},
          {address, [size](void* mapped) { ::munmap(mapped, size); }}};
}

}  // namespace expctl
