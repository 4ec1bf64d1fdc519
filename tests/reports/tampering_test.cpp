// Spoilt submissions: what a careless or dishonest hand may change, with every manifest hash made to fit
// again, under a contest's rules and under none.
#include <functional>

#include "core/contest_rules.h"
#include "formats/safetensors.h"
#include "reports/manifest.h"
#include "reports/package.h"
#include "reports/verify.h"
#include "tests/reports/workspace.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

/// The rules of 2020 with the official files of this workspace in place of Google's and SQuAD's.
std::string rules_for(const ScoredWorkspace& w) {
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
  fs::path good = w.dir / "good", folder = w.dir / "spoilt", rules = w.dir / "rules.json";
  VerifyOptions options{w.dev, w.train, w.init, w.dir / "unseen.json", rules.string()};

  Spoilt() {
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
    package.predict = [](const RunRecord&, const std::string&, const fs::path& answers) {
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
    fs::remove_all(folder);
    fs::copy(good, folder, fs::copy_options::recursive);
  }

  fs::path at(const std::string& path) const { return folder / path; }

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
      if (!fs::exists(at(own + "/manifest.json"))) continue;
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
          const fs::path file = at(entry + "/" + part + path);
          if (fs::exists(file)) artifact["sha256"] = sha256_file(file);
        }
      }
    });
  }

  /// The weights of an entry, each tensor changed by `how(name, numbers)`; false leaves the tensor out.
  void change_weights(const std::string& entry,
                      const std::function<bool(const std::string&, std::vector<float>&)>& how) const {
    const fs::path file = at(entry + "/checkpoint/model.safetensors");
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

struct Tampering {
  const char* what;
  const char* found_by;             ///< the rule that must fail under the contest's rules
  const char* found_without_rules;  ///< and under none; "": only a contest forbids it
  std::function<void(const Spoilt&, VerifyOptions&)> spoil;
};

void replace_in_file(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = read_file(file);
  REQUIRE(text.find(from) != std::string::npos);
  write_file(file, text.replace(text.find(from), from.size(), to));
}

const std::vector<Tampering> kTamperings = {
    {"an edited prediction", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run4/predictions.json", [](Json& j) { j["q2"] = "green"; });
     }},
    {"edited answers with the scores that follow", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* file : {"predictions.json", "nbest_predictions.json", "eval.json"})
         fs::copy_file(s.at(std::string("run1/") + file), s.at(std::string("run2/") + file),
                       fs::copy_options::overwrite_existing);
       s.change("run2/predictions.json", [](Json& j) { j["q1"] = "the blue"; });
       s.change("run2/nbest_predictions.json", [](Json& j) { j["q1"][0]["text"] = "the blue"; });
     }},
    {"an edited F1", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run5/eval.json"), "{\"exact_match\": 50.0, \"f1\": 50.1}\n");
     }},
    {"an edited F1, in the summary too", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run5/eval.json"), "{\"exact_match\": 50.0, \"f1\": 49.9}\n");
       s.change("summary.json", [](Json& j) { j["entries"][4]["f1"] = 49.9; });
     }},
    {"a rounded score", "scores", "scores",
     [](const Spoilt& s, VerifyOptions&) { s.change("run3/eval.json", [](Json& j) { j["f1"] = 83.33; }); }},
    {"a rounded score in the summary", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["entries"][2]["f1"] = 83.33; });
     }},
    {"a wrong top-3 mean", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["top3_mean"] = 99.0; });
     }},
    {"a mean of fewer", "summary", "",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) {
         j["average"] = 2;
         j["top3_mean"] = 100.0;
       });
     }},
    {"an n-best probability", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/nbest_predictions.json", [](Json& j) { j["q1"][0]["probability"] = 0.9; });
     }},
    {"an n-best text", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/nbest_predictions.json", [](Json& j) { j["q1"][0]["text"] = "red"; });
     }},
    {"a checkpoint byte", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       std::string bytes = read_file(s.at("run1/checkpoint/model.safetensors"));
       bytes[bytes.size() - 2] ^= 1;
       write_file(s.at("run1/checkpoint/model.safetensors"), bytes);
     }},
    {"a member's checkpoint byte", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       std::string bytes = read_file(s.at("run3/checkpoint/run2/model.safetensors"));
       bytes[bytes.size() - 2] ^= 1;
       write_file(s.at("run3/checkpoint/run2/model.safetensors"), bytes);
     }},
    {"a frozen layer, the record made to fit", "whole model trained", "",
     [](const Spoilt& s, VerifyOptions&) {
       const SafeTensors init = SafeTensors::read(CheckpointPaths{s.w.init}.weights());
       s.change_weights("run1", [&](const std::string& name, std::vector<float>& numbers) {
         const std::string frozen = "encoder.layer.0.intermediate.dense.weight";
         for (const auto& [of_init, view] : init.tensors()) {
           if (name.ends_with(frozen) && of_init.ends_with(frozen)) numbers = view.copy_as<float>();
         }
         return true;
       });
       s.mend_record("run1");
     }},
    {"a weight that is no number, the record made to fit", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change_weights("run1", [](const std::string&, std::vector<float>& numbers) {
         numbers[0] = NAN;
         return true;
       });
       s.mend_record("run1");
     }},
    {"a tensor left out, the record made to fit", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change_weights("run1", [](const std::string& name, std::vector<float>&) {
         return !name.ends_with("attention.output.dense.bias");
       });
       s.mend_record("run1");
     }},
    {"fewer layers in config.json, the record made to fit", "architecture", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/checkpoint/config.json", [](Json& j) { j["num_hidden_layers"] = 3; });
       s.mend_record("run1");
     }},
    {"a swapped vocabulary", "architecture", "records",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/checkpoint/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n");
     }},
    {"a swapped vocabulary, the record made to fit", "architecture", "init",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/checkpoint/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n");
       s.mend_record("run1");
     }},
    {"an init that is another", "init", "init",
     [](const Spoilt& s, VerifyOptions& options) {
       options.init = s.w.dir / "other-init";
       make_folder(options.init);
       write_tiny_bert(options.init, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, 8,
                       {8, 1, 2, 8, 384});
     }},
    {"an init that is not the contest's, and said to be so", "init", "",
     [](const Spoilt& s, VerifyOptions& options) {
       options.init = s.w.dir / "own-init";
       fs::remove_all(options.init);
       make_folder(options.init);
       write_tiny_bert(options.init, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"}, 9,
                       {8, 1, 2, 8, 384});
       const std::string own = sha256_folder(options.init);
       for (const auto& spec : {"run1/training", "run2/training", "run3/training/run1", "run3/training/run2",
                                "run4/training", "run5/training"}) {
         s.change(std::string(spec) + "/spec.json", [&](Json& j) { j["model"]["init"]["sha256"] = own; });
         s.change(std::string(spec) + "/run.json", [&](Json& j) {
           j["config_hash"] = config_hash(
               run_spec_from_json(read_json(s.at(std::string(spec) + "/spec.json")), "spec.json"));
         });
       }
     }},
    {"another training file", "training data", "training data",
     [](const Spoilt& s, VerifyOptions& options) {
       options.train = s.w.dir / "other-train.json";
       write_file(options.train, std::string(kTrainText) + " ");
     }},
    {"a dev article in the training file", "dev data kept out", "training data",
     [](const Spoilt& s, VerifyOptions& options) {
       options.train = s.w.dir / "leaking.json";
       write_file(options.train, kDevText);
     }},
    {"another dev file", "dev data", "scores",
     [](const Spoilt& s, VerifyOptions& options) {
       options.dev = s.w.dir / "other-dev.json";
       write_file(options.dev, kDevText);
       replace_in_file(options.dev, "\"text\":\"blue\"", "\"text\":\"the sky\"");
     }},
    {"a missing log", "items", "items",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/logs/train.log")); }},
    {"a member's missing log", "items", "items",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run3/logs/run1/train.log")); }},
    {"an edited log", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/logs/train.log"), "all went well\n"); }},
    {"edited metrics", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/logs/metrics.jsonl"), "{\"step\":1}\n"); }},
    {"an emptied command line", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/training/command.txt"), ""); }},
    {"a missing evaluation script", "items", "",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/eval_only.py")); }},
    {"missing n-best", "items", "records",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run1/nbest_predictions.json")); }},
    {"another seed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/spec.json", [](Json& j) { j["train"]["seed"] = 77; });
     }},
    {"another learning rate", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/spec.json", [](Json& j) { j["train"]["learning_rate"] = 1e-3; });
     }},
    {"a run that failed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/run.json", [](Json& j) { j["state"] = "failed"; });
     }},
    {"other weights of an ensemble's members", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["models"][0]["weight"] = 5.0; });
     }},
    {"a member left out of the list", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["runs"] = {"run1"}; });
       fs::remove_all(s.at("run3/training/run2"));
       fs::remove_all(s.at("run3/logs/run2"));
     }},
    {"another run's record for the entry's own", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["runs"] = {"run5"}; });
       fs::copy(s.at("run2/training"), s.at("run1/training/run5"), fs::copy_options::recursive);
       fs::copy(s.at("run2/logs"), s.at("run1/logs/run5"), fs::copy_options::recursive);
     }},
    {"an ensemble's description removed", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { fs::remove(s.at("run3/training/ensemble.json")); }},
    {"nothing on record", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/training/run.json", [](Json& j) { j["artifacts"] = Json::array(); });
     }},
    {"models that are not named", "records", "records",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) {
         j["models"] = Json::array();
         j["evaluation"] = nullptr;
       });
     }},
    {"another tokenizer in the checkpoint", "records", "records",
     [](const Spoilt& s, VerifyOptions&) { write_file(s.at("run1/checkpoint/tokenizer.json"), "{}"); }},
    {"a script that prints what it should", "scripts", "scripts",
     [](const Spoilt& s, VerifyOptions&) {
       write_file(s.at("run1/eval_only.sh"), "#!/bin/sh\ncat eval.json\n");
     }},
    {"n-best without logits in one question", "n-best", "n-best",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/nbest_predictions.json", [](Json& j) { j["q1"][0].erase("start_logit"); });
     }},
    {"an evaluation that is not said", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"].erase("max_seq_length"); });
     }},
    {"no answers to the unseen questions", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* entry : {"run1", "run2", "run3", "run4", "run5"})
         fs::remove_all(s.at(std::string(entry) + "/unseen"));
       s.change("manifest.json", [](Json& j) { j["unseen"] = nullptr; });
       s.change("summary.json", [](Json& j) {
         for (auto& entry : j["entries"]) entry["probability_score"] = nullptr;
       });
     }},
    {"an evaluation at another length", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"]["max_seq_length"] = 128; });
     }},
    {"answers decoded otherwise than the run's", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/manifest.json", [](Json& j) { j["evaluation"]["max_answer_length"] = 300; });
     }},
    {"inference at another length", "evaluation", "evaluation",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run1/inference_stats.json", [](Json& j) { j["sequence_length"] = 128; });
     }},
    {"an unseen question left out", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions&) {
       for (const char* file : {"predictions.json", "nbest_predictions.json"})
         s.change(std::string("run1/unseen/") + file, [](Json& j) { j.erase("u2"); });
     }},
    {"another probability score", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("summary.json", [](Json& j) { j["entries"][0]["probability_score"] = 0.75; });
     }},
    {"other unseen questions", "unseen", "unseen",
     [](const Spoilt& s, VerifyOptions& options) {
       options.unseen = s.w.dir / "other-unseen.json";
       write_file(options.unseen, read_file(s.options.unseen) + " ");
     }},
    {"swapped folders", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run1"), s.at("x"));
       fs::rename(s.at("run4"), s.at("run1"));
       fs::rename(s.at("x"), s.at("run4"));
     }},
    {"swapped folders whose manifests say so", "summary", "summary",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run1"), s.at("x"));
       fs::rename(s.at("run4"), s.at("run1"));
       fs::rename(s.at("x"), s.at("run4"));
       const std::string first = read_json(s.at("run1/manifest.json"))["id"],
                         fourth = read_json(s.at("run4/manifest.json"))["id"];
       s.change("run1/manifest.json", [](Json& j) { j["folder"] = "run1"; });
       s.change("run4/manifest.json", [](Json& j) { j["folder"] = "run4"; });
       for (const char* file : {"manifest.json", "summary.json"}) {
         s.change(file, [&](Json& j) {
           j["entries"][0]["id"] = first;
           j["entries"][3]["id"] = fourth;
         });
       }
     }},
    {"a folder with another name", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::rename(s.at("run5"), s.at("best"));
       s.change("best/manifest.json", [](Json& j) { j["folder"] = "best"; });
       for (const char* file : {"manifest.json", "summary.json"})
         s.change(file, [](Json& j) { j["entries"][4]["folder"] = "best"; });
     }},
    {"two folders of one run", "ids", "ids",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove_all(s.at("run2"));
       fs::copy(s.at("run1"), s.at("run2"), fs::copy_options::recursive);
       s.change("run2/manifest.json", [](Json& j) {
         j["folder"] = "run2";
         j["id"] = "run5";
       });
     }},
    {"the same entry named twice", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("manifest.json", [](Json& j) { j["entries"][1] = j["entries"][0]; });
     }},
    {"four entries", "items", "",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove_all(s.at("run5"));
       for (const char* file : {"manifest.json", "summary.json"})
         s.change(file, [](Json& j) { j["entries"].erase(4); });
     }},
    {"a symbolic link out of the folder", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       fs::remove(s.at("run1/training/environment.json"));
       fs::create_symlink(s.w.dev, s.at("run1/training/environment.json"));
     }},
    {"a path with ..", "files", "files",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("manifest.json", [](Json& j) { j["entries"][0]["folder"] = "../good/run1"; });
     }},
    {"a member's name with ..", "checkpoints", "checkpoints",
     [](const Spoilt& s, VerifyOptions&) {
       s.change("run3/manifest.json", [](Json& j) { j["models"][0]["member"] = "../../run1/checkpoint"; });
     }},
};

}  // namespace

TEST_CASE("tampering: the good submission passes under the contest's rules and under none", "[reports]") {
  const Spoilt s;
  s.renew();
  for (const std::string& rules : {s.rules.string(), std::string("none")}) {
    VerifyOptions options = s.options;
    options.rules = rules;
    for (const auto& check : verify_submission(s.folder, options).checks) {
      INFO(rules << ": " << check.rule << ": " << check.why);
      CHECK((check.rule == "no file can show" ? check.result == CheckResult::kUnproven
                                              : check.result == CheckResult::kPassed));
    }
  }
}

TEST_CASE("tampering: each is found although every hash fits, and named", "[reports]") {
  const Spoilt s;
  CHECK(kTamperings.size() >= 25);
  for (const auto& tampering : kTamperings) {
    s.renew();
    VerifyOptions options = s.options;
    tampering.spoil(s, options);
    try {
      s.mend_manifests();
    } catch (const Error&) {  // a link, or a folder that leads out
    }
    for (const std::string& rules : {s.rules.string(), std::string("none")}) {
      options.rules = rules;
      const std::string expected = rules == "none" ? tampering.found_without_rules : tampering.found_by;
      const auto failed = s.failed(options);
      std::string all;
      for (const auto& [rule, why] : failed) all += "\n  " + rule + ": " + why;
      INFO(tampering.what << " under " << rules << ":" << all);
      CHECK((expected.empty() ? failed.empty() : failed.contains(expected)));
    }
  }
}
