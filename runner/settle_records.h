// What was read from folders, made into rows that fit together.
#pragma once

#include "runner/folder_records.h"

namespace expctl {

/// Makes the rows such as a registry can hold: positions for those that have none, no reference to what is
/// not there, ids that go on after the highest one. Says what had to go.
void settle(FolderRecords& folders);

}  // namespace expctl
