// What a contest holds a submission to: a profile, which is a JSON file. Those of core/rules are known by
// their names; docs/submission.md explains the members.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/run_paths.h"

namespace expctl {

/// A data file that the contest prescribes. Empty hashes: any content.
struct OfficialData {
  std::string file;             ///< its name, for messages
  std::string sha256;           ///< of the file
  std::string articles_sha256;  ///< of its content, whatever the order of articles (squad/dataset.h)
  bool is_prescribed() const { return !sha256.empty() || !articles_sha256.empty(); }
};

struct ContestRules {
  std::string text;  ///< the profile as it was read
  std::string name;
  std::string title;
  size_t top = 0;                                 ///< entries that are handed in; 0: any number
  size_t average = 0;                             ///< of which the best count; 0: any number
  std::string evaluation = kDefaultEvaluation;    ///< the one that ranks
  std::string entry_folder = "run{rank}";         ///< what an entry's folder is called
  std::vector<std::string> items;                 ///< of each entry; {run} and {model} stand for each of them
  Json architecture = Json::object();             ///< members of config.json that are prescribed
  std::string changed_head;                       ///< said of output layers other than BERT's
  std::string vocabulary_sha256;                  ///< "": any
  std::map<std::string, std::string> init_files;  ///< SHA-256 by name; empty: any
  OfficialData train_data, dev_data;
  bool whole_model_trained = false;     ///< no weight may be as it was before fine-tuning
  bool dev_data_kept_out = false;       ///< no question or context of the dev data in training
  std::vector<std::string> unprovable;  ///< what no file can show
};

/// The profiles of core/rules, by name.
std::vector<std::string> contest_names();

/// A profile by its name, or from a file. Throws Error: neither (kNotFound, with the names there are), a
/// member that is unknown, missing or of the wrong type, a mean of more than is handed in.
ContestRules find_contest_rules(const std::string& name_or_file);
ContestRules parse_contest_rules(std::string_view text, const std::string& source);

}  // namespace expctl
