#include "ensemble/blend.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/tiles.h"

namespace expctl {
namespace {

void check_finite(const LogitsMember& member) {
  for (size_t i = 0; i < member.logits.start.size(); ++i) {
    if (std::isfinite(member.logits.start[i]) && std::isfinite(member.logits.end[i])) continue;
    throw Error(fmt::format("token {} of the logits of {} has start {} and end {}: not finite", i, member.id,
                            member.logits.start[i], member.logits.end[i]),
                "the model that made them has diverged: look at its training loss");
  }
}

/// Logits times scale as a softmax.
void become_probabilities(float* logits, size_t size, double scale) {
  if (size == 0) return;
  const double greatest = *std::max_element(logits, logits + size);
  double sum = 0;
  for (size_t i = 0; i < size; ++i) sum += std::exp(scale * (static_cast<double>(logits[i]) - greatest));
  for (size_t i = 0; i < size; ++i) {
    logits[i] = static_cast<float>(std::exp(scale * (static_cast<double>(logits[i]) - greatest)) / sum);
  }
}

constexpr int64_t kTileTokens = 16384;

void check_factor(const char* what, const std::string& id, double factor) {
  constexpr double kMost = 1e12;
  if (factor > 0 && factor <= kMost) return;
  throw Error(fmt::format("the {} of {} is {}", what, id, factor),
              fmt::format("{}s are positive numbers, up to 1e12", what), ErrorCode::kUsage);
}

}  // namespace

void check_alike(const std::vector<LogitsMember>& members) {
  const auto& first = members.front();
  for (const auto& member : members) {
    std::string what = difference(first.logits.identity, member.logits.identity);
    if (what.empty() && first.logits.offsets != member.logits.offsets)
      what = "their features have other lengths";
    if (!what.empty()) {
      throw Error(
          fmt::format("{} and {} are over different features: {}", first.id, member.id, what),
          "runs evaluated on the same data at the same length, stride and window can be averaged; --method "
          "nbest merges the answers of any");
    }
    check_finite(member);
  }
}

void check_weight(const std::string& id, double weight) {
  check_factor("weight", id, weight);
}

void check_scale(const std::string& id, double scale) {
  check_factor("scale", id, scale);
}

Blend::Blend(std::vector<LogitsMember> members, Method method, const std::vector<size_t>& question_tokens)
    : members_(std::move(members)), method_(method) {
  if (members_.empty()) throw Error("an ensemble has members");
  check_alike(members_);
  for (auto& member : members_) {
    for (auto* part : {&member.logits.start, &member.logits.end}) {
      if (method_ == Method::kProbabilities) {
        for_each_tile(static_cast<int64_t>(question_tokens.size()) - 1, [&](int64_t tile, int64_t) {
          const size_t begin = question_tokens[static_cast<size_t>(tile)];
          become_probabilities(part->data() + begin, question_tokens[static_cast<size_t>(tile) + 1] - begin,
                               member.scale);
        });
      } else if (member.scale != 1) {
        for (auto& logit : *part) logit = static_cast<float>(member.scale * static_cast<double>(logit));
      }
    }
  }
}

void Blend::mean(const std::vector<double>& weights, size_t first, size_t last, float* start,
                 float* end) const {
  double total = 0;
  for (const double weight : weights) total += weight;
  constexpr size_t kBlock = 512;
  double sums[kBlock];
  for (auto [part, to] : {std::pair{&LogitsFile::start, start}, std::pair{&LogitsFile::end, end}}) {
    for (size_t begin = first; begin < last; begin += kBlock) {
      const size_t count = std::min(kBlock, last - begin);
      std::fill_n(sums, count, 0.0);
      for (size_t member = 0; member < members_.size(); ++member) {
        const double weight = weights[member];
        if (weight == 0) continue;
        const float* values = (members_[member].logits.*part).data() + begin;
        for (size_t i = 0; i < count; ++i) sums[i] += weight * static_cast<double>(values[i]);
      }
      float* results = to + (begin - first);
      if (method_ == Method::kProbabilities) {
        // What no member gives any mass has none; the least number has a logarithm, as decoding needs it.
        constexpr double kLeast = std::numeric_limits<float>::min();
        for (size_t i = 0; i < count; ++i)
          results[i] = static_cast<float>(std::log(std::max(sums[i] / total, kLeast)));
      } else {
        for (size_t i = 0; i < count; ++i) results[i] = static_cast<float>(sums[i] / total);
      }
    }
  }
}

LogitsFile Blend::mean(const std::vector<double>& weights) const {
  const LogitsFile& any = members_.front().logits;
  LogitsFile result{any.identity, std::vector<float>(any.start.size()), std::vector<float>(any.end.size()),
                    any.offsets};
  for_each_range(static_cast<int64_t>(any.start.size()), kTileTokens,
                 [&](int64_t begin, int64_t finish, int64_t) {
                   mean(weights, static_cast<size_t>(begin), static_cast<size_t>(finish),
                        &result.start[static_cast<size_t>(begin)], &result.end[static_cast<size_t>(begin)]);
                 });
  return result;
}

}  // namespace expctl
