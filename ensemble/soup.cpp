#include "ensemble/soup.h"

#include <fmt/core.h>

#include "core/error.h"
#include "formats/bert_folder.h"

namespace expctl {
namespace {

std::string head_text(const StoredBert& bert) {
  return bert.has_head() ? fmt::format("a span head '{}'", name_of(bert.config.head)) : "no span head";
}

void check_alike(const std::vector<SoupMember>& members) {
  const SoupMember& first = members.front();
  for (const auto& member : members) {
    if (member.bert.is_pickled())
      throw Error(fmt::format("{}: its weights are pickled", member.id),
                  "expctl convert makes others of them");
    const bool heads_differ =
        first.bert.has_head() != member.bert.has_head() || first.bert.config.head != member.bert.config.head;
    if (heads_differ)
      throw Error(fmt::format("{} has {}, {} has {}", first.id, head_text(first.bert), member.id,
                              head_text(member.bert)),
                  "weights can be averaged of models with the same span head only; logits of any");
    if (first.bert.config != member.bert.config)
      throw Error(fmt::format("{} and {} are models of different shapes", first.id, member.id),
                  "weights can be averaged of runs from the same init only");
    if (first.bert.vocabulary_text != member.bert.vocabulary_text)
      throw Error(fmt::format("{} and {} have different vocabularies", first.id, member.id),
                  "weights can be averaged of runs from the same init only");
  }
}

/// The mean of one tensor.
std::vector<float> mean_tensor(const std::vector<SoupMember>& members, const std::string& name) {
  const auto count = static_cast<size_t>(members.front().bert.tensors.at(name).view.element_count());
  std::vector<double> sums(count, 0.0);
  std::vector<float> values(count);
  double total = 0;
  for (const auto& member : members) {
    member.bert.tensors.at(name).read(values);
    for (size_t i = 0; i < count; ++i) sums[i] += member.weight * static_cast<double>(values[i]);
    total += member.weight;
  }
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(sums[i] / total);
  return values;
}

}  // namespace

void write_soup(const std::filesystem::path& folder, const std::vector<SoupMember>& members) {
  if (members.empty()) throw Error("a soup has members");
  check_alike(members);
  const StoredBert& first = members.front().bert;
  std::map<std::string, std::vector<float>> means;
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : first.tensors) {
    means[name] = mean_tensor(members, name);
    views[name] = view_of(means[name], tensor.shape());
  }
  write_bert_folder(folder, first.config, first.vocabulary_text, views);
}

}  // namespace expctl
