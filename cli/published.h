// What `expctl fetch` knows of the things it fetches: where they are published, and their SHA-256. Values
// only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace expctl {

struct PublishedFile {
  std::string name;
  std::string sha256;
  std::string url;    ///< "" where it comes out of the item's zip
  int64_t bytes = 0;  ///< 0: not known
};

struct PublishedZip {
  std::string url;
  std::string name;
  std::string folder;  ///< the folder in it that holds the files
  int64_t bytes = 0;   ///< 0: not known
};

struct PublishedItem {
  std::string name;
  std::filesystem::path folder;      ///< where its files go unless a person says otherwise
  std::vector<PublishedFile> files;  ///< all that it is in the end
  std::optional<PublishedZip> zip;   ///< the files come out of it; then `folder` is theirs alone
};

/// squad and bert-base-uncased. A zip has no SHA-256 of its own here: no source publishes one, but those of
/// all its files are published.
const std::vector<PublishedItem>& published_items();

/// The item of this name. Throws Error (kUsage) where there is none.
const PublishedItem& find_published(const std::string& name);

/// "expctl fetch squad --out data", which puts the missing file or folder where it is wanted; "" where it is
/// not called as something that is published.
std::string fetch_command(const std::filesystem::path& wanted);

/// The same item with `base` ("http://mirror:8000/bert") in place of scheme and host of every address; as it
/// is where `base` is "". Throws Error (kUsage) where `base` is no http or https address.
PublishedItem served_from(PublishedItem item, const std::string& base);

}  // namespace expctl
