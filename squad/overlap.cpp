#include "squad/overlap.h"

#include <fmt/core.h>

#include <set>
#include <string_view>

#include "core/text.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

struct Content {
  std::set<std::string_view> ids;
  std::set<std::string_view> contexts;
};

Content content_of(const Dataset& dataset) {
  Content content;
  for (const auto& article : dataset.articles) {
    for (const auto& paragraph : article.paragraphs) {
      content.contexts.insert(trim(paragraph.context));
      for (const auto& question : paragraph.questions) content.ids.insert(question.id);
    }
  }
  return content;
}

std::string beginning(std::string_view text) {
  constexpr size_t kShown = 60;
  const std::u32string points = decode_utf8(text);
  return points.size() <= kShown ? std::string(text) : encode_utf8(points.substr(0, kShown)) + "...";
}

}  // namespace

Overlap find_overlap(const Dataset& train, const Dataset& dev) {
  const Content a = content_of(train), b = content_of(dev);
  Overlap overlap;
  for (const auto context : b.contexts) {
    if (!a.contexts.contains(context)) continue;
    if (overlap.contexts++ == 0) overlap.example = beginning(context);
  }
  for (const auto id : b.ids) {
    if (!a.ids.contains(id)) continue;
    if (overlap.questions++ == 0) overlap.example = id;
  }
  return overlap;
}

std::string overlap_text(const std::string& train, const std::string& dev, const Overlap& overlap) {
  return fmt::format("{} and {} share {} and {} (e.g. '{}')", train, dev,
                     counted(overlap.questions, "question"), counted(overlap.contexts, "context"),
                     overlap.example);
}

}  // namespace expctl
