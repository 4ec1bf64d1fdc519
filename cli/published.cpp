#include "cli/published.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// SHA-256 and sizes as in Hugging Face's datasets, datasets/squad/dataset_infos.json at 040102f.
PublishedItem squad() {
  const std::string at = "https://rajpurkar.github.io/SQuAD-explorer/dataset/";
  return {"squad",
          ".",
          {{"train-v1.1.json", "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955",
            at + "train-v1.1.json", 30'288'272},
           {"dev-v1.1.json", "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9",
            at + "dev-v1.1.json", 4'854'279}},
          {}};
}

/// The files' SHA-256 as in NVIDIA's DeepLearningExamples, PyTorch/LanguageModeling/BERT/data/
/// GooglePretrainedWeightDownloader.py at 1187980; the zip's size as downloads of it report.
PublishedItem bert_base_uncased() {
  return {
      "bert-base-uncased",
      "models/bert-base-uncased",
      {{"bert_config.json", "7b4e5f53efbd058c67cda0aacfafb340113ea1b5797d9ce6ee411704ba21fcbc", "", 0},
       {"bert_model.ckpt.data-00000-of-00001",
        "58580dc5e0bf0ae0d2efd51d0e8272b2f808857f0a43a88aaf7549da6d7a8a84", "", 0},
       {"bert_model.ckpt.index", "04c1323086e2f1c5b7c0759d8d3e484afbb0ab45f51793daab9f647113a0117b", "", 0},
       {"bert_model.ckpt.meta", "dd5682170a10c3ea0280c2e9b9a45fee894eb62da649bbdea37b38b0ded5f60e", "", 0},
       {"vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", "", 0}},
      PublishedZip{"https://storage.googleapis.com/bert_models/2018_10_18/uncased_L-12_H-768_A-12.zip",
                   "uncased_L-12_H-768_A-12.zip", "uncased_L-12_H-768_A-12", 407'727'028}};
}

/// The path of an address, with its slash.
std::string path_of(const std::string& url) {
  const auto host = url.find("://") + 3;
  return url.substr(url.find('/', host));
}

}  // namespace

const std::vector<PublishedItem>& published_items() {
  static const std::vector<PublishedItem> items = {squad(), bert_base_uncased()};
  return items;
}

const PublishedItem& find_published(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& item : published_items()) {
    if (item.name == name) return item;
    names.push_back(item.name);
  }
  throw Error(fmt::format("fetch knows no '{}'{}", name, did_you_mean(name, names)),
              fmt::format("it fetches {}", join(names, " or ")), ErrorCode::kUsage);
}

std::string fetch_command(const std::filesystem::path& wanted) {
  for (const auto& item : published_items()) {
    const bool is_folder = item.zip.has_value();
    const bool is_it = is_folder ? wanted.filename() == item.name
                                 : std::any_of(item.files.begin(), item.files.end(), [&](const auto& file) {
                                     return file.name == wanted.filename();
                                   });
    if (!is_it) continue;
    const auto folder = is_folder ? wanted : wanted.parent_path();
    const std::string below = std::filesystem::proximate(folder).string();
    return fmt::format("expctl fetch {} --out {}", item.name,
                       shell_quote(below.starts_with("..") ? folder.string() : below));
  }
  return "";
}

PublishedItem served_from(PublishedItem item, const std::string& base) {
  if (base.empty()) return item;
  if (!base.starts_with("http://") && !base.starts_with("https://")) {
    throw Error(fmt::format("EXPCTL_FETCH_BASE={}: neither an http nor an https address", base),
                "give it as https://HOST, with a folder behind it where there is one", ErrorCode::kUsage);
  }
  const std::string trimmed = base.substr(0, base.find_last_not_of('/') + 1);
  for (auto& file : item.files) {
    if (!file.url.empty()) file.url = trimmed + path_of(file.url);
  }
  if (item.zip) item.zip->url = trimmed + path_of(item.zip->url);
  return item;
}

}  // namespace expctl
