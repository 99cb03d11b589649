#include "exposure/file_use.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace vigil::exposure {

namespace {

// Interpreters, and the files that are code to them (specification, section 1).
struct Interpreter {
  std::string_view program;  // Beginning of the executable's name.
  std::vector<std::string_view> endings;
};

bool is_code_for(std::string_view program, std::string_view path) {
  static const std::vector<Interpreter> kInterpreters = {
      {"python", {".py", ".pyc"}}, {"node", {".js", ".cjs", ".mjs", ".node"}},
      {"ruby", {".rb"}},           {"php", {".php"}},
      {"perl", {".pl", ".pm"}},    {"java", {".class"}},
  };
  return std::ranges::any_of(kInterpreters, [&](const Interpreter& one) {
    return program.starts_with(one.program) &&
           std::ranges::any_of(one.endings,
                               [&](std::string_view ending) { return path.ends_with(ending); });
  });
}

std::string_view program_of(const ProcessFacts& process) {
  const std::string_view path = process.executable.empty() ? process.name : process.executable;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Tier tier_of(const Evidence& evidence) {
  if (evidence.tier == Tier::kOpened && is_code_for(program_of(evidence.process), evidence.path)) {
    return Tier::kLoaded;
  }
  return evidence.tier;
}

bool is_jar_of_java(const Evidence& evidence) {
  return evidence.tier == Tier::kOpened && evidence.path.ends_with(".jar") &&
         program_of(evidence.process).starts_with("java");
}

}  // namespace vigil::exposure
