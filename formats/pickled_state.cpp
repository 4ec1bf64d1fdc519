#include "formats/pickled_state.h"

#include <fmt/core.h>

#include <array>

#include "core/error.h"
#include "formats/byte_reader.h"

namespace expctl {
namespace {

constexpr size_t kLongestRecord = 64;  // they are numbers
constexpr const char* kHint = "save it with torch.save(model.state_dict(), \"pytorch_model.bin\")";

constexpr std::array<std::pair<std::string_view, DType>, 10> kStorages{
    {{"torch.FloatStorage", DType::kF32},
     {"torch.HalfStorage", DType::kF16},
     {"torch.BFloat16Storage", DType::kBF16},
     {"torch.DoubleStorage", DType::kF64},
     {"torch.LongStorage", DType::kI64},
     {"torch.IntStorage", DType::kI32},
     {"torch.ShortStorage", DType::kI16},
     {"torch.CharStorage", DType::kI8},
     {"torch.ByteStorage", DType::kU8},
     {"torch.BoolStorage", DType::kBool}}};

/// Values refer to each other by their place in the machine's list, so that neither a value within itself nor
/// one nested a million deep is a danger.
using Place = size_t;

enum class Kind { kOther, kInteger, kText, kGlobal, kTuple, kDictionary, kStorage, kTensor };

struct Value {
  explicit Value(Kind its_kind = Kind::kOther) : kind(its_kind) {}

  Kind kind;
  int64_t number = 0;
  std::string text;          ///< of a text; "module.name" of a global
  std::vector<Place> items;  ///< of a tuple; of a dictionary key, value, key, value ...
  PickledTensor tensor;      ///< of a storage only its first three members
};

/// Whether every element lies in the storage.
bool is_within_storage(const PickledTensor& t) {
  if (t.offset < 0 || t.storage_size < 0 || t.shape.size() != t.strides.size()) return false;
  int64_t last = t.offset;
  bool is_empty = false;
  for (size_t i = 0; i < t.shape.size(); ++i) {
    if (t.shape[i] < 0 || t.strides[i] < 0) return false;
    is_empty = is_empty || t.shape[i] == 0;
    int64_t reach = 0;
    if (t.shape[i] > 0 && (__builtin_mul_overflow(t.shape[i] - 1, t.strides[i], &reach) ||
                           __builtin_add_overflow(last, reach, &last))) {
      return false;
    }
  }
  return is_empty || last < t.storage_size;
}

/// Python's pickle machine: a stack, marks in it, and a memo.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& source) : source_(source), reader_(bytes, source) {}

  std::map<std::string, PickledTensor> run() {
    while (step(reader_.take(1).front())) {
    }
    return tensors_of(pop());
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(fmt::format("{}: {}", source_, why), kHint);
  }

  /// Does one instruction; false for the last.
  bool step(char instruction) {
    switch (static_cast<unsigned char>(instruction)) {
      case 0x80:
        reader_.take(1);
        break;  // the protocol's version
      case '(':
        marks_.push_back(stack_.size());
        break;
      case ')':
        push_tuple(0);
        break;
      case 0x85:
        push_tuple(1);
        break;
      case 0x86:
        push_tuple(2);
        break;
      case 0x87:
        push_tuple(3);
        break;
      case 't':
        push_tuple(stack_.size() - pop_mark());
        break;
      case '}':
        push(Value(Kind::kDictionary));
        break;
      case 's':
        set_items(2);
        break;
      case 'u':
        set_items(stack_.size() - pop_mark());
        break;
      case 'N':
      case 0x88:
      case 0x89:
        push(Value());
        break;  // None, True, False
      case 'K':
        push_number(read_integer(1));
        break;
      case 'M':
        push_number(read_integer(2));
        break;
      case 'J':
        push_number(static_cast<int32_t>(reader_.fixed32()));
        break;
      case 0x8a:
        push_number(read_integer(read_integer(1)));
        break;
      case 'X':
        push_text(reader_.fixed32());
        break;
      case 'c':
        push_global();
        break;
      case 'q':
        memo_[read_integer(1)] = top();
        break;
      case 'r':
        memo_[reader_.fixed32()] = top();
        break;
      case 'h':
        recall(read_integer(1));
        break;
      case 'j':
        recall(reader_.fixed32());
        break;
      case 'Q':
        push_storage();
        break;
      case 'R':
        call();
        break;
      case 'b':
        pop();
        top();
        break;  // attributes of the object below, such as _metadata
      case '.':
        return false;
      default:
        refuse(fmt::format("it is more than a state_dict(): instruction {:#04x}",
                           static_cast<unsigned char>(instruction)));
    }
    return true;
  }

  void push(Value value) {
    values_.push_back(std::move(value));
    stack_.push_back(values_.size() - 1);
  }

  Place top() const {
    if (stack_.empty()) refuse("no state_dict(): a value is missing");
    return stack_.back();
  }

  Place pop() {
    const Place place = top();
    stack_.pop_back();
    return place;
  }

  size_t pop_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) refuse("no state_dict(): a mark is missing");
    const size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
  }

  std::vector<Place> pop_many(size_t count) {
    if (count > stack_.size()) refuse("no state_dict(): a value is missing");
    std::vector<Place> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  void push_tuple(size_t count) {
    Value tuple(Kind::kTuple);
    tuple.items = pop_many(count);
    push(std::move(tuple));
  }

  void push_number(int64_t number) {
    Value value(Kind::kInteger);
    value.number = number;
    push(std::move(value));
  }

  void push_text(uint64_t length, Kind kind = Kind::kText) {
    Value value(kind);
    value.text = reader_.take(length);
    push(std::move(value));
  }

  void push_global() {
    Value global(Kind::kGlobal);
    global.text = read_line() + ".";
    global.text += read_line();
    push(std::move(global));
  }

  std::string read_line() {
    std::string line;
    for (char c = 0; (c = reader_.take(1).front()) != '\n';) line += c;
    return line;
  }

  /// Little-endian, signed where it has eight bytes, as sizes and offsets of tensors are.
  int64_t read_integer(int64_t bytes) {
    if (bytes < 0 || bytes > 8) refuse("a number of more than 64 bits");
    uint64_t value = 0;
    for (int64_t i = 0; i < bytes; ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(reader_.take(1).front())) << (8 * i);
    return static_cast<int64_t>(value);
  }

  void recall(int64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse("no state_dict(): a value is used before it is made");
    stack_.push_back(found->second);
  }

  void set_items(size_t count) {
    const auto items = pop_many(count);
    Value& dictionary = values_[top()];
    if (dictionary.kind != Kind::kDictionary || count % 2 != 0)
      refuse("no state_dict(): items of no dictionary");
    dictionary.items.insert(dictionary.items.end(), items.begin(), items.end());
  }

  const Value& item(const Value& tuple, size_t index, Kind kind) const {
    if (tuple.kind != Kind::kTuple || index >= tuple.items.size() || values_[tuple.items[index]].kind != kind)
      refuse("no state_dict(): a tensor is described in another way than torch.save() does");
    return values_[tuple.items[index]];
  }

  /// From ("storage", its class, its record, a device, its size).
  void push_storage() {
    const Value& id = values_[pop()];
    const std::string& name = item(id, 1, Kind::kGlobal).text;
    Value storage(Kind::kStorage);
    storage.tensor.storage = item(id, 2, Kind::kText).text;
    storage.tensor.storage_size = item(id, 4, Kind::kInteger).number;
    if (storage.tensor.storage.size() > kLongestRecord)
      refuse("a storage's name that torch.save() does not give");
    for (const auto& [known, dtype] : kStorages) {
      if (known != name) continue;
      storage.tensor.dtype = dtype;
      push(std::move(storage));
      return;
    }
    refuse(fmt::format("tensors of '{}' are not known", name));
  }

  std::vector<int64_t> numbers(const Value& tuple) const {
    constexpr size_t kMostDimensions = 8;  // a tuple can be named again and again, which is to cost little
    if (tuple.items.size() > kMostDimensions) refuse("a tensor of too many dimensions");
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < tuple.items.size(); ++i) numbers.push_back(item(tuple, i, Kind::kInteger).number);
    return numbers;
  }

  /// What a state_dict() calls: its own class, and what makes tensors and parameters.
  void call() {
    const Place arguments = pop();
    const std::string function = values_[pop()].text;
    if (function == "collections.OrderedDict") {
      push(Value(Kind::kDictionary));
    } else if (function == "torch._utils._rebuild_tensor_v2") {
      push_tensor(values_[arguments]);
    } else if (function == "torch._utils._rebuild_parameter") {
      item(values_[arguments], 0, Kind::kTensor);
      stack_.push_back(values_[arguments].items[0]);
    } else {
      refuse(fmt::format("it is more than a state_dict(): it asks for '{}'", function));
    }
  }

  /// From (storage, offset, shape, strides, ...).
  void push_tensor(const Value& arguments) {
    Value value(Kind::kTensor);
    value.tensor = item(arguments, 0, Kind::kStorage).tensor;
    value.tensor.offset = item(arguments, 1, Kind::kInteger).number;
    value.tensor.shape = numbers(item(arguments, 2, Kind::kTuple));
    value.tensor.strides = numbers(item(arguments, 3, Kind::kTuple));
    if (!is_within_storage(value.tensor)) refuse("a tensor that is not within its storage");
    push(std::move(value));
  }

  std::map<std::string, PickledTensor> tensors_of(Place place) const {
    const Value& dictionary = values_[place];
    if (dictionary.kind != Kind::kDictionary) refuse("it is no dictionary of tensors");
    std::map<std::string, PickledTensor> tensors;
    for (size_t i = 0; i < dictionary.items.size(); i += 2) {
      const Value& key = values_[dictionary.items[i]];
      const Value& value = values_[dictionary.items[i + 1]];
      if (key.kind == Kind::kText && value.kind == Kind::kTensor) tensors[key.text] = value.tensor;
    }
    if (tensors.empty()) refuse("there are no tensors in its dictionary");
    return tensors;
  }

  const std::string& source_;
  ByteReader reader_;
  std::vector<Value> values_;
  std::vector<Place> stack_;
  std::vector<size_t> marks_;
  std::map<int64_t, Place> memo_;
};

}  // namespace

std::map<std::string, PickledTensor> parse_pickled_state(std::string_view bytes, const std::string& source) {
  return Machine(bytes, source).run();
}

}  // namespace expctl
