#include "reports/templates.h"

#include <stdexcept>
#include <string>

#include "core/embedded_file.h"

namespace expctl {

const std::vector<EmbeddedFile>& embedded_templates();  // cmake/embed_files.cmake

std::string_view template_text(std::string_view name) {
  for (const auto& file : embedded_templates()) {
    if (file.name == name) return file.content;
  }
  throw std::logic_error("there is no template " + std::string(name));
}

}  // namespace expctl
