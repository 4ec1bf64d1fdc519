#include "ensemble/method.h"

#include <fmt/core.h>

#include "core/enum_names.h"
#include "core/error.h"

namespace expctl {
namespace {

constexpr EnumNames<Method, 4> kMethods = {{{Method::kLogits, "logits"},
                                            {Method::kProbabilities, "probabilities"},
                                            {Method::kNBest, "nbest"},
                                            {Method::kSoup, "soup"}}};

}  // namespace

std::string_view name_of(Method method) {
  return lookup_name(kMethods, method);
}

Method parse_method(const std::string& name) {
  if (const auto method = lookup_value(kMethods, name)) return *method;
  throw Error(fmt::format("--method {}: there is no such method", name),
              "logits, probabilities, nbest or soup", ErrorCode::kUsage);
}

}  // namespace expctl
