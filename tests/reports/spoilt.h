// A good submission under a contest's rules, and a copy of it to be spoilt.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/contest_rules.h"
#include "formats/safetensors.h"
#include "reports/manifest.h"
#include "reports/package.h"
#include "reports/verify.h"
#include "tests/reports/workspace.h"

namespace expctl::test {

/// The rules of 2020 with the official files of this workspace in place of Google's and SQuAD's.
inline std::string rules_for(const ScoredWorkspace& w) {
  Json rules = Json::parse(find_contest_rules("hpc-ai-2020").text);
  rules["name"] = "test-contest";
  const Json config = read_json(CheckpointPaths{w.init}.config());
  for (auto& item : rules["architecture"].items()) item.value() = config[item.key()];
  rules["vocabulary_sha256"] = sha256_file(CheckpointPaths{w.init}.vocab());
  rules["init_files"] = Json::object();
  for (const auto& file : list_files(w.init)) rules["init_files"][file.path] = file.sha256;
  rules["train_data"]["sha256"] = sha256_file(w.train);
  rules["dev_data"]["sha256"] = sha256_file(w.dev);
  return json_text(rules);
}

/// Five good entries with answers to unseen questions; a copy of them is spoilt.
struct Spoilt {
  ScoredWorkspace w;
  std::filesystem::path good = w.dir / "good", folder = w.dir / "spoilt", rules = w.dir / "rules.json";
  VerifyOptions options{w.dev, w.train, w.init, w.dir / "unseen.json", rules.string()};

  explicit Spoilt(SpanHead head = SpanHead::kLinear) : w(head) {
    w.add_sweep({4, 5});
    write_file(rules, rules_for(w));
    write_file(options.unseen,
               R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"a b","qas":[)"
               R"({"id":"u1","question":"a?"},{"id":"u2","question":"b?"}]}]}]})");
    PackageOptions package;
    package.out = good;
    package.rules = rules.string();
    package.source_archive = w.source;
    package.unseen = options.unseen;
    package.predict = [](const RunRecord&, const std::string&, const std::filesystem::path& answers) {
      make_folder(answers);
      const RunPaths to{answers};
      const auto nbest = [](const char* text) {
        return Json::array({{{"text", text}, {"probability", 0.5}, {"start_logit", 1.0}, {"end_logit", 1.0}},
                            {{"text", "c"}, {"probability", 0.5}, {"start_logit", 1.0}, {"end_logit", 1.0}}});
      };
      write_file(to.predictions(), json_text({{"u1", "a"}, {"u2", "b"}}));
      write_file(to.nbest(), json_text({{"u1", nbest("a")}, {"u2", nbest("b")}}));
      write_file(to.inference_stats(), R"({"schema_version":1,"sequence_length":384,"precision":"fp32"})");
    };
    package_submission(w.registry(), w.paths, package);
  }

  void renew() const {
    std::filesystem::remove_all(folder);
    std::filesystem::copy(good, folder, std::filesystem::copy_options::recursive);
  }

  std::filesystem::path at(const std::string& path) const { return folder / path; }

  void change(const std::string& path, const std::function<void(Json&)>& how) const {
    Json json = read_json(at(path));
    how(json);
    write_file(at(path), json_text(json));
  }

  /// Every manifest with the hashes of what is there now.
  void mend_manifests() const {
    const Json manifest = read_json(at("manifest.json"));
    for (const auto& entry : manifest["entries"]) {
      const auto own = entry["folder"].get<std::string>();
      if (!std::filesystem::exists(at(own + "/manifest.json"))) continue;
      change(own + "/manifest.json", [&](Json& json) { json["files"] = files_json(list_files(at(own))); });
    }
    change("manifest.json", [&](Json& json) { json["files"] = files_json(list_files(folder)); });
  }

  /// What a careful cheat does beside: the run's record says what is there now.
  void mend_record(const std::string& entry) const {
    change(entry + "/training/run.json", [&](Json& record) {
      const RunSpec spec = run_spec_from_json(read_json(at(entry + "/training/spec.json")), "spec.json");
      record["config_hash"] = config_hash(spec);
      record["seed"] = spec.train.seed;
      for (auto& artifact : record["artifacts"]) {
        const auto path = artifact["path"].get<std::string>();
        for (const char* part : {"", "logs/", "training/"}) {
          const std::filesystem::path file = at(entry + "/" + part + path);
          if (std::filesystem::exists(file)) artifact["sha256"] = sha256_file(file);
        }
      }
    });
  }

  /// The weights of an entry, each tensor changed by `how(name, numbers)`; false leaves the tensor out.
  void change_weights(const std::string& entry,
                      const std::function<bool(const std::string&, std::vector<float>&)>& how) const {
    const std::filesystem::path file = at(entry + "/checkpoint/model.safetensors");
    std::map<std::string, std::vector<float>> values;
    std::map<std::string, TensorView> tensors;
    const SafeTensors before = SafeTensors::read(file);
    for (const auto& [name, view] : before.tensors()) {
      auto numbers = view.copy_as<float>();
      if (!how(name, numbers)) continue;
      values[name] = numbers;
      tensors[name] = view_of(values[name], view.shape);
    }
    write_safetensors(file, tensors, before.metadata());
  }

  /// The rules that fail, by name, with why.
  std::map<std::string, std::string> failed(const VerifyOptions& with) const {
    std::map<std::string, std::string> rules_failed;
    for (const auto& check : verify_submission(folder, with).checks) {
      if (check.result == CheckResult::kFailed) rules_failed[check.rule] = check.why;
    }
    return rules_failed;
  }
};

}  // namespace expctl::test
