#include "ensemble/method.h"

#include <fmt/core.h>

#include "core/error.h"

namespace expctl {
namespace {

constexpr Method kMethods[] = {Method::kLogits, Method::kProbabilities, Method::kNBest, Method::kSoup};

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::kLogits:
      return "logits";
    case Method::kProbabilities:
      return "probabilities";
    case Method::kNBest:
      return "nbest";
    case Method::kSoup:
      return "soup";
  }
  return "";
}

Method parse_method(const std::string& name) {
  for (const Method method : kMethods) {
    if (name_of(method) == name) return method;
  }
  throw Error(fmt::format("--method {}: there is no such method", name),
              "logits, probabilities, nbest or soup", ErrorCode::kUsage);
}

}  // namespace expctl
