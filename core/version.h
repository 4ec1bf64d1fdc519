// This program's version and the git commit it was built from (generated at build time,
// cmake/build_info.cmake).
#pragma once

namespace expctl {

const char* version();
const char* build_id();

}  // namespace expctl
