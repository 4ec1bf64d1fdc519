#include "trainer/precision.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kFp16:
      return "fp16";
  }
  return "";
}

Precision precision_from(const std::string& name) {
  for (const auto precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    if (name == name_of(precision)) return precision;
  }
  throw Error(fmt::format("there is no precision '{}'", name));
}

}  // namespace expctl
