#include "squad/synthetic.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "core/counter_random.h"
#include "core/hash.h"
#include "core/json.h"

namespace expctl {
namespace {

/// What an answer looks like; each makes a text of its own kind.
enum class ValueKind { kYear, kTown, kPerson, kCompany, kMoney, kLength, kWeight, kDay };

/// {e} is the name of what the paragraph tells of, {p} the pronoun for it, {v} the answer.
struct Relation {
  ValueKind value;
  std::array<const char*, 2> statements;
  std::array<const char*, 2> questions;
};

struct Subject {
  ValueKind name;
  const char* prefix;  ///< before the name, as in "the ship X"
  const char* pronoun;
  std::vector<Relation> relations;
};

const std::vector<Subject>& subjects() {
  using K = ValueKind;
  static const std::vector<Subject> table = {
      {K::kPerson,
       "",
       "She",
       {{K::kYear,
         {"{p} was born in {v}.", "The birth was in {v}."},
         {"In what year was {e} born?", "When was the birth of {e}?"}},
        {K::kTown,
         {"{p} grew up in {v}.", "The childhood was spent in {v}."},
         {"In which town did {e} grow up?", "Where did {e} spend the childhood?"}},
        {K::kPerson,
         {"{p} was married to {v}.", "The partner in life was {v}."},
         {"Who was {e} married to?", "Who was the partner of {e}?"}},
        {K::kCompany,
         {"{p} was employed by {v}.", "The employer was {v}."},
         {"Which company employed {e}?", "What was the employer of {e}?"}},
        {K::kMoney,
         {"{p} earned {v}.", "The wage was {v}."},
         {"How much did {e} earn?", "What was the wage of {e}?"}},
        {K::kDay,
         {"{p} is remembered on {v}.", "The memorial day is {v}."},
         {"On which day is {e} remembered?", "What is the memorial day of {e}?"}}}},
      {K::kTown,
       "the ship ",
       "It",
       {{K::kYear,
         {"{p} was launched in {v}.", "The launch was in {v}."},
         {"In what year was {e} launched?", "When was the launch of {e}?"}},
        {K::kCompany,
         {"{p} was built by {v}.", "The builder was {v}."},
         {"Which company built {e}?", "What was the builder of {e}?"}},
        {K::kPerson,
         {"{p} was commanded by {v}.", "The captain was {v}."},
         {"Who commanded {e}?", "Who was the captain of {e}?"}},
        {K::kLength,
         {"{p} measured {v}.", "The length was {v}."},
         {"How long was {e}?", "What was the length of {e}?"}},
        {K::kWeight,
         {"{p} carried {v}.", "The load was {v}."},
         {"How much did {e} carry?", "What was the load of {e}?"}},
        {K::kTown,
         {"{p} sank near {v}.", "The wreck lies near {v}."},
         {"Near which town did {e} sink?", "Where does the wreck of {e} lie?"}}}},
      {K::kTown,
       "the bridge of ",
       "It",
       {{K::kYear,
         {"{p} was opened in {v}.", "The opening was in {v}."},
         {"In what year was {e} opened?", "When was the opening of {e}?"}},
        {K::kPerson,
         {"{p} was designed by {v}.", "The designer was {v}."},
         {"Who designed {e}?", "Who was the designer of {e}?"}},
        {K::kMoney,
         {"{p} cost {v}.", "The price was {v}."},
         {"How much did {e} cost?", "What was the price of {e}?"}},
        {K::kLength,
         {"{p} spans {v}.", "The span is {v}."},
         {"How long is {e}?", "What is the span of {e}?"}},
        {K::kCompany,
         {"{p} is owned by {v}.", "The owner is {v}."},
         {"Which company owns {e}?", "What is the owner of {e}?"}},
        {K::kWeight,
         {"{p} can bear {v}.", "The limit is {v}."},
         {"How much can {e} bear?", "What is the limit of {e}?"}}}},
  };
  return table;
}

/// Makes names and numbers, each at most once, those of train and dev from halves that share nothing.
class ValueMaker {
 public:
  ValueMaker(CounterRandom random, bool dev, std::set<std::string>& taken)
      : random_(random), dev_(dev), taken_(taken) {}

  std::string make(ValueKind kind) {
    switch (kind) {
      case ValueKind::kYear:
        return number(1400, 600);
      case ValueKind::kTown:
        return name() + pick({"ford", "burg", "wick", "mouth"});
      case ValueKind::kPerson:
        return name() + pick({"son", "ez", "ova"});
      case ValueKind::kCompany:
        return name() + " " + pick({"Works", "Mills", "Yards"});
      case ValueKind::kMoney:
        return number(100, 9000) + " crowns";
      case ValueKind::kLength:
        return number(100, 900) + " metres";
      case ValueKind::kWeight:
        return number(100, 9000) + " tons";
      case ValueKind::kDay:
        return number(1, 30) + " " + pick({"June", "March", "August", "October"});
    }
    return {};
  }

 private:
  const char* pick(std::initializer_list<const char*> choices) {
    return choices.begin()[random_.below(choices.size())];
  }

  /// A number of the half that this set draws from. The halves are drawn by a hash: any rule on digits could
  /// be learned.
  std::string number(uint64_t first, uint64_t count) {
    for (;;) {
      const uint64_t value = first + random_.below(count);
      if ((mix64(value) % 2 == 1) == dev_) return std::to_string(value);
    }
  }

  /// Two syllables, capitalised, never given before.
  std::string name() {
    static constexpr std::array<const char*, 16> kOnsets = {"b", "d", "f", "g", "k", "l", "m",  "n",
                                                            "p", "r", "s", "t", "v", "z", "th", "br"};
    static constexpr std::array<const char*, 8> kRimes = {"a", "e", "i", "o", "u", "an", "el", "or"};
    for (;;) {
      std::string text;
      for (int syllable = 0; syllable < 2; ++syllable) {
        text += kOnsets[random_.below(kOnsets.size())];
        text += kRimes[random_.below(kRimes.size())];
      }
      text[0] = static_cast<char>(text[0] - 'a' + 'A');
      if (taken_.insert(text).second) return text;
    }
  }

  CounterRandom random_;
  bool dev_;
  std::set<std::string>& taken_;
};

/// One fact of a paragraph: the sentence that states it and the question that asks for it.
struct Fact {
  std::string sentence;
  std::string question;
  std::string value;
};

/// What one subject's part of a paragraph says: who it is about, then the facts.
struct Story {
  std::string opening;
  std::vector<Fact> facts;
};

Story story_of(const Subject& subject, ValueMaker& values, CounterRandom& random) {
  const std::string entity = subject.prefix + values.make(subject.name);
  Story story{fmt::format("This is about {}.", entity), {}};
  for (const auto& relation : subject.relations) {
    const std::string value = values.make(relation.value);
    story.facts.push_back(
        {fmt::format(fmt::runtime(relation.statements[random.below(2)]), fmt::arg("p", subject.pronoun),
                     fmt::arg("v", value)),
         fmt::format(fmt::runtime(relation.questions[random.below(2)]), fmt::arg("e", entity)), value});
  }
  for (size_t i = story.facts.size(); i > 1; --i) std::swap(story.facts[i - 1], story.facts[random.below(i)]);
  return story;
}

void append_story(const Story& story, const std::string& id_prefix, Paragraph& paragraph) {
  if (!paragraph.context.empty()) paragraph.context += ' ';
  paragraph.context += story.opening;
  for (const auto& fact : story.facts) {
    // All texts are ASCII, so bytes are code points.
    const size_t begin = paragraph.context.size() + 1 + fact.sentence.rfind(fact.value);
    paragraph.context += ' ' + fact.sentence;
    paragraph.questions.push_back({fmt::format("{}-{}", id_prefix, paragraph.questions.size()),
                                   fact.question,
                                   {{fact.value, static_cast<int64_t>(begin)}}});
  }
}

Dataset make_set(const SyntheticOptions& options, bool dev, std::set<std::string>& taken) {
  CounterRandom random(options.seed * 2 + (dev ? 1 : 0));
  ValueMaker values(CounterRandom(random.next()), dev, taken);
  Dataset dataset{"1.1", {}};
  for (size_t i = 1; i <= subjects().size(); ++i)
    dataset.articles.push_back({fmt::format("Invented {}", i), {}});
  const int paragraphs = dev ? options.dev_paragraphs : options.train_paragraphs;
  for (int i = 0; i < paragraphs; ++i) {
    const size_t kind = random.below(subjects().size());
    const std::string prefix = sha256(fmt::format("{}/{}/{}", options.seed, dev, i)).substr(0, 16);
    Paragraph paragraph;
    append_story(story_of(subjects()[kind], values, random), prefix, paragraph);
    if (random.uniform() < options.pair_share) {
      append_story(story_of(subjects()[kind], values, random), prefix, paragraph);
    }
    dataset.articles[kind].paragraphs.push_back(std::move(paragraph));
  }
  return dataset;
}

}  // namespace

SyntheticData make_synthetic_data(const SyntheticOptions& options) {
  std::set<std::string> taken;
  Dataset train = make_set(options, false, taken);
  return {std::move(train), make_set(options, true, taken)};
}

std::string dataset_text(const Dataset& dataset) {
  Json articles = Json::array();
  for (const auto& article : dataset.articles) {
    Json paragraphs = Json::array();
    for (const auto& paragraph : article.paragraphs) {
      Json questions = Json::array();
      for (const auto& question : paragraph.questions) {
        Json answers = Json::array();
        for (const auto& answer : question.answers) {
          answers.push_back({{"answer_start", answer.answer_start}, {"text", answer.text}});
        }
        questions.push_back({{"answers", answers}, {"question", question.text}, {"id", question.id}});
      }
      paragraphs.push_back({{"context", paragraph.context}, {"qas", questions}});
    }
    articles.push_back({{"title", article.title}, {"paragraphs", paragraphs}});
  }
  return json_line({{"data", articles}, {"version", dataset.version}}) + "\n";
}

}  // namespace expctl
