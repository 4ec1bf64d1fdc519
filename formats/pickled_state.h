// data.pkl of a file that Python's torch.save(model.state_dict()) wrote: which tensor lies where in which
// storage.
//
// Source: Python's pickletools (protocol 2, which torch.save() writes) and torch/_utils.py. Only the
// instructions that a state_dict() needs are known; they make values and nothing else. No class is looked up
// and no code is run, whatever the bytes ask for. LibTorch's own Unpickler drops every OrderedDict, which is
// what a state_dict() is, and believes the strides that it reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace expctl {

struct PickledTensor {
  std::string storage;        ///< its record is "data/STORAGE" in the zip file
  DType dtype = DType::kF32;  ///< of the storage and the tensor
  int64_t storage_size = 0;   ///< in elements, as this file says
  int64_t offset = 0;         ///< likewise
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  ///< in elements
};

/// Tensors by name; every element lies within its storage_size. Values that are no tensors are left out.
/// Throws Error that begins with the source: anything but a pickled dictionary with texts as keys.
std::map<std::string, PickledTensor> parse_pickled_state(std::string_view bytes, const std::string& source);

}  // namespace expctl
