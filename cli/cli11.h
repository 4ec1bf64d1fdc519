// CLI11, for the verbs and what shows them. Heavy: not for headers of anything else.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
