// CVSS scores, from FIRST's specifications: v2.0 §3.2, v3.0 §8, v3.1 §7, v4.0 §8.2 and §8.3. A
// vector's score is that of all the metrics in it: with temporal or threat metrics the temporal
// score, with environmental ones the environmental score, else the base score.
//
// Scores are whole tenths until they are handed out, so that rounding never depends on how a tenth
// is written in binary.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>

#include "model/severity.h"

namespace vigil {

namespace {

enum class Group { kBase, kTemporal, kEnvironmental, kSupplemental };

struct MetricValue {
  std::string_view name;
  double weight = 0;  // The specification's number; v4.0: steps from the most severe value.
};

struct Metric {
  std::string_view name;
  Group group;
  std::span<const MetricValue> values;
};

// v2.0, §3.2.
constexpr MetricValue kAccessVector2[] = {{"L", 0.395}, {"A", 0.646}, {"N", 1.0}};
constexpr MetricValue kAccessComplexity2[] = {{"H", 0.35}, {"M", 0.61}, {"L", 0.71}};
constexpr MetricValue kAuthentication2[] = {{"M", 0.45}, {"S", 0.56}, {"N", 0.704}};
constexpr MetricValue kImpact2[] = {{"N", 0}, {"P", 0.275}, {"C", 0.660}};
constexpr MetricValue kExploitability2[] = {
    {"U", 0.85}, {"POC", 0.9}, {"F", 0.95}, {"H", 1}, {"ND", 1}};
constexpr MetricValue kRemediation2[] = {
    {"OF", 0.87}, {"TF", 0.90}, {"W", 0.95}, {"U", 1}, {"ND", 1}};
constexpr MetricValue kConfidence2[] = {{"UC", 0.90}, {"UR", 0.95}, {"C", 1}, {"ND", 1}};
constexpr MetricValue kCollateral2[] = {{"N", 0},    {"L", 0.1}, {"LM", 0.3},
                                        {"MH", 0.4}, {"H", 0.5}, {"ND", 0}};
constexpr MetricValue kTargets2[] = {{"N", 0}, {"L", 0.25}, {"M", 0.75}, {"H", 1}, {"ND", 1}};
constexpr MetricValue kRequirement2[] = {{"L", 0.5}, {"M", 1}, {"H", 1.51}, {"ND", 1}};

constexpr Metric kMetrics2[] = {
    {"AV", Group::kBase, kAccessVector2},
    {"AC", Group::kBase, kAccessComplexity2},
    {"Au", Group::kBase, kAuthentication2},
    {"C", Group::kBase, kImpact2},
    {"I", Group::kBase, kImpact2},
    {"A", Group::kBase, kImpact2},
    {"E", Group::kTemporal, kExploitability2},
    {"RL", Group::kTemporal, kRemediation2},
    {"RC", Group::kTemporal, kConfidence2},
    {"CDP", Group::kEnvironmental, kCollateral2},
    {"TD", Group::kEnvironmental, kTargets2},
    {"CR", Group::kEnvironmental, kRequirement2},
    {"IR", Group::kEnvironmental, kRequirement2},
    {"AR", Group::kEnvironmental, kRequirement2},
};

// v3.0 §8.4 and v3.1 §7.4. X stands last, so that the others have one place with and without it.
constexpr MetricValue kAttackVector3[] = {
    {"N", 0.85}, {"A", 0.62}, {"L", 0.55}, {"P", 0.2}, {"X", 0}};
constexpr MetricValue kAttackComplexity3[] = {{"L", 0.77}, {"H", 0.44}, {"X", 0}};
constexpr MetricValue kPrivileges3[] = {{"N", 0.85}, {"L", 0.62}, {"H", 0.27}, {"X", 0}};
constexpr MetricValue kInteraction3[] = {{"N", 0.85}, {"R", 0.62}, {"X", 0}};
constexpr MetricValue kScope3[] = {{"U", 0}, {"C", 1}, {"X", 0}};
constexpr MetricValue kImpact3[] = {{"H", 0.56}, {"L", 0.22}, {"N", 0}, {"X", 0}};
constexpr MetricValue kExploit3[] = {{"H", 1}, {"F", 0.97}, {"P", 0.94}, {"U", 0.91}, {"X", 1}};
constexpr MetricValue kRemediation3[] = {{"U", 1}, {"W", 0.97}, {"T", 0.96}, {"O", 0.95}, {"X", 1}};
constexpr MetricValue kConfidence3[] = {{"C", 1}, {"R", 0.96}, {"U", 0.92}, {"X", 1}};
constexpr MetricValue kRequirement3[] = {{"H", 1.5}, {"M", 1}, {"L", 0.5}, {"X", 1}};

template <size_t kCount>
constexpr std::span<const MetricValue> without_x(const MetricValue (&values)[kCount]) {
  return std::span(values).first(kCount - 1);
}

constexpr Metric kMetrics3[] = {
    {"AV", Group::kBase, without_x(kAttackVector3)},
    {"AC", Group::kBase, without_x(kAttackComplexity3)},
    {"PR", Group::kBase, without_x(kPrivileges3)},
    {"UI", Group::kBase, without_x(kInteraction3)},
    {"S", Group::kBase, without_x(kScope3)},
    {"C", Group::kBase, without_x(kImpact3)},
    {"I", Group::kBase, without_x(kImpact3)},
    {"A", Group::kBase, without_x(kImpact3)},
    {"E", Group::kTemporal, kExploit3},
    {"RL", Group::kTemporal, kRemediation3},
    {"RC", Group::kTemporal, kConfidence3},
    {"CR", Group::kEnvironmental, kRequirement3},
    {"IR", Group::kEnvironmental, kRequirement3},
    {"AR", Group::kEnvironmental, kRequirement3},
    {"MAV", Group::kEnvironmental, kAttackVector3},
    {"MAC", Group::kEnvironmental, kAttackComplexity3},
    {"MPR", Group::kEnvironmental, kPrivileges3},
    {"MUI", Group::kEnvironmental, kInteraction3},
    {"MS", Group::kEnvironmental, kScope3},
    {"MC", Group::kEnvironmental, kImpact3},
    {"MI", Group::kEnvironmental, kImpact3},
    {"MA", Group::kEnvironmental, kImpact3},
};

// v4.0, Table 23 (names and order) and §8.2 (levels). Safety, "S", exists in modified metrics only.
constexpr MetricValue kAttackVector4[] = {{"N", 0}, {"A", 1}, {"L", 2}, {"P", 3}, {"X", 0}};
constexpr MetricValue kAttackComplexity4[] = {{"L", 0}, {"H", 1}, {"X", 0}};
constexpr MetricValue kAttackRequirements4[] = {{"N", 0}, {"P", 1}, {"X", 0}};
constexpr MetricValue kPrivileges4[] = {{"N", 0}, {"L", 1}, {"H", 2}, {"X", 0}};
constexpr MetricValue kInteraction4[] = {{"N", 0}, {"P", 1}, {"A", 2}, {"X", 0}};
constexpr MetricValue kVulnerableImpact4[] = {{"H", 0}, {"L", 1}, {"N", 2}, {"X", 0}};
constexpr MetricValue kSubsequentImpact4[] = {{"H", 1}, {"L", 2}, {"N", 3}, {"X", 0}};
constexpr MetricValue kSafetyImpact4[] = {{"H", 1}, {"L", 2}, {"N", 3}, {"S", 0}, {"X", 0}};
constexpr MetricValue kExploit4[] = {{"A", 0}, {"P", 1}, {"U", 2}, {"X", 0}};
constexpr MetricValue kRequirement4[] = {{"H", 0}, {"M", 1}, {"L", 2}, {"X", 0}};
constexpr MetricValue kSafety4[] = {{"N"}, {"P"}, {"X"}};
constexpr MetricValue kAutomatable4[] = {{"N"}, {"Y"}, {"X"}};
constexpr MetricValue kRecovery4[] = {{"A"}, {"U"}, {"I"}, {"X"}};
constexpr MetricValue kValueDensity4[] = {{"D"}, {"C"}, {"X"}};
constexpr MetricValue kResponseEffort4[] = {{"L"}, {"M"}, {"H"}, {"X"}};
constexpr MetricValue kUrgency4[] = {{"Clear"}, {"Green"}, {"Amber"}, {"Red"}, {"X"}};

constexpr Metric kMetrics4[] = {
    {"AV", Group::kBase, without_x(kAttackVector4)},
    {"AC", Group::kBase, without_x(kAttackComplexity4)},
    {"AT", Group::kBase, without_x(kAttackRequirements4)},
    {"PR", Group::kBase, without_x(kPrivileges4)},
    {"UI", Group::kBase, without_x(kInteraction4)},
    {"VC", Group::kBase, without_x(kVulnerableImpact4)},
    {"VI", Group::kBase, without_x(kVulnerableImpact4)},
    {"VA", Group::kBase, without_x(kVulnerableImpact4)},
    {"SC", Group::kBase, without_x(kSubsequentImpact4)},
    {"SI", Group::kBase, without_x(kSubsequentImpact4)},
    {"SA", Group::kBase, without_x(kSubsequentImpact4)},
    {"E", Group::kTemporal, kExploit4},
    {"CR", Group::kEnvironmental, kRequirement4},
    {"IR", Group::kEnvironmental, kRequirement4},
    {"AR", Group::kEnvironmental, kRequirement4},
    {"MAV", Group::kEnvironmental, kAttackVector4},
    {"MAC", Group::kEnvironmental, kAttackComplexity4},
    {"MAT", Group::kEnvironmental, kAttackRequirements4},
    {"MPR", Group::kEnvironmental, kPrivileges4},
    {"MUI", Group::kEnvironmental, kInteraction4},
    {"MVC", Group::kEnvironmental, kVulnerableImpact4},
    {"MVI", Group::kEnvironmental, kVulnerableImpact4},
    {"MVA", Group::kEnvironmental, kVulnerableImpact4},
    {"MSC", Group::kEnvironmental, kSubsequentImpact4},
    {"MSI", Group::kEnvironmental, kSafetyImpact4},
    {"MSA", Group::kEnvironmental, kSafetyImpact4},
    {"S", Group::kSupplemental, kSafety4},
    {"AU", Group::kSupplemental, kAutomatable4},
    {"R", Group::kSupplemental, kRecovery4},
    {"V", Group::kSupplemental, kValueDensity4},
    {"RE", Group::kSupplemental, kResponseEffort4},
    {"U", Group::kSupplemental, kUrgency4},
};

enum class Order { kAny, kFixed };

struct Version {
  std::string_view name;
  std::string_view prefix;
  std::span<const Metric> metrics;
  Order order;
};

// v3 takes metrics in any order (v3.1 §6); v4.0 (§7) and v2.0 (§2.4) in that of their tables.
constexpr Version kVersions[] = {
    {"4.0", "CVSS:4.0/", kMetrics4, Order::kFixed},
    {"3.1", "CVSS:3.1/", kMetrics3, Order::kAny},
    {"3.0", "CVSS:3.0/", kMetrics3, Order::kAny},
    {"2.0", "", kMetrics2, Order::kFixed},
};

constexpr size_t kMetricsMax = std::size(kMetrics4);

// A vector taken apart: for each metric of its version the place of its value, or -1.
struct Parsed {
  const Version* version = nullptr;
  std::array<int8_t, kMetricsMax> chosen;

  // The metric must be one of the version's own; where it was not given, nothing.
  const MetricValue* value(std::string_view name) const {
    for (size_t i = 0; i < version->metrics.size(); ++i) {
      if (version->metrics[i].name != name) continue;
      return chosen[i] < 0 ? nullptr : &version->metrics[i].values[static_cast<size_t>(chosen[i])];
    }
    return nullptr;
  }
  double weight(std::string_view name, double fallback) const {
    const MetricValue* found = value(name);
    return found == nullptr ? fallback : found->weight;
  }
  bool has(Group group) const { return count(group) > 0; }
  int count(Group group) const {
    int total = 0;
    for (size_t i = 0; i < version->metrics.size(); ++i) {
      total += version->metrics[i].group == group && chosen[i] >= 0;
    }
    return total;
  }
};

int metrics_in(const Version& version, Group group) {
  return static_cast<int>(std::ranges::count(version.metrics, group, &Metric::group));
}

// "a '~' of the vector": what was wrong, cut short, as vectors are anybody's text.
std::unexpected<Error> malformed(std::string_view what, std::string_view where) {
  constexpr size_t kShown = 60;
  std::string text = std::string(what) + " '" + std::string(where.substr(0, kShown));
  if (where.size() > kShown) text += "…";
  return fail(ErrorCode::kMalformed, "CVSS: " + text + "'");
}

// One "NAME:VALUE"; `next` is the first metric that may follow in a fixed order.
Status take_metric(std::string_view part, Parsed& parsed, size_t& next) {
  const size_t colon = part.find(':');
  if (colon == std::string_view::npos) return malformed("no metric and value in", part);
  const std::span<const Metric> metrics = parsed.version->metrics;
  const auto* metric = std::ranges::find(metrics, part.substr(0, colon), &Metric::name).base();
  const auto index = static_cast<size_t>(metric - metrics.data());
  if (index == metrics.size()) return malformed("unknown metric in", part);
  if (parsed.chosen[index] >= 0) return malformed("a metric given twice:", part);
  if (parsed.version->order == Order::kFixed && index < next) {
    return malformed("a metric out of order:", part);
  }
  const auto value = std::ranges::find(metric->values, part.substr(colon + 1), &MetricValue::name);
  if (value == metric->values.end()) return malformed("unknown value in", part);
  parsed.chosen[index] = static_cast<int8_t>(value - metric->values.begin());
  next = index + 1;
  return {};
}

Result<Parsed> parse(std::string_view vector) {
  Parsed parsed;
  parsed.chosen.fill(-1);
  for (const Version& version : kVersions) {
    if (!vector.starts_with(version.prefix)) continue;
    parsed.version = &version;
    break;
  }
  std::string_view rest = vector.substr(parsed.version->prefix.size());
  size_t next = 0;
  for (;;) {
    const size_t slash = rest.find('/');
    TRY(take_metric(rest.substr(0, slash), parsed, next));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  const Version& version = *parsed.version;
  if (parsed.count(Group::kBase) != metrics_in(version, Group::kBase)) {
    return malformed("not every base metric in", vector);
  }
  // In version 2 a group is given whole or not at all (§2.4).
  for (const Group group : {Group::kTemporal, Group::kEnvironmental}) {
    if (version.prefix.empty() && parsed.has(group) &&
        parsed.count(group) != metrics_in(version, group)) {
      return malformed("not every metric of a group in", vector);
    }
  }
  return parsed;
}

// To the nearest tenth, halves up; the little more makes up for what binary numbers lack.
int nearest_tenth(double score) {
  return static_cast<int>(std::floor(score * 10 + 0.5 + 1e-9));
}

int score2(const Parsed& v) {
  const auto base_with = [&](double impact) {
    const double exploitability = 20 * v.weight("AV", 0) * v.weight("AC", 0) * v.weight("Au", 0);
    const double factor = impact == 0 ? 0 : 1.176;
    return nearest_tenth((0.6 * impact + 0.4 * exploitability - 1.5) * factor);
  };
  const auto temporal_of = [&](int base) {
    if (!v.has(Group::kTemporal)) return base;
    return nearest_tenth(base / 10.0 * v.weight("E", 1) * v.weight("RL", 1) * v.weight("RC", 1));
  };
  const double c = v.weight("C", 0);
  const double i = v.weight("I", 0);
  const double a = v.weight("A", 0);
  if (!v.has(Group::kEnvironmental)) {
    return temporal_of(base_with(10.41 * (1 - (1 - c) * (1 - i) * (1 - a))));
  }
  const double adjusted_impact =
      std::min(10.0, 10.41 * (1 - (1 - c * v.weight("CR", 1)) * (1 - i * v.weight("IR", 1)) *
                                      (1 - a * v.weight("AR", 1))));
  const double adjusted = temporal_of(base_with(adjusted_impact)) / 10.0;
  return nearest_tenth((adjusted + (10 - adjusted) * v.weight("CDP", 0)) * v.weight("TD", 1));
}

// v3.0 §8: the smallest tenth that is not below the score. v3.1, Appendix A, says how to find it
// without trouble from binary numbers, and takes what is less than 0.00001 above a tenth for it.
int tenth_above(double score, bool is_31) {
  if (!is_31) return static_cast<int>(std::ceil(score * 10 - 1e-9));
  const auto hundred_thousandths = std::llround(score * 100000);
  return static_cast<int>((hundred_thousandths + 9999) / 10000);
}

// They count for more where the scope changes (v3.1 §7.4).
double privileges_weight(const MetricValue& privileges, bool is_changed) {
  if (is_changed && privileges.name == "L") return 0.68;
  if (is_changed && privileges.name == "H") return 0.5;
  return privileges.weight;
}

int score3(const Parsed& v) {
  const bool is_31 = v.version->name == "3.1";
  const bool is_environmental = v.has(Group::kEnvironmental);
  // A metric, or its modified form where the environment is scored and gives one.
  const auto chosen = [&](std::string_view name) {
    if (is_environmental) {
      const MetricValue* modified = v.value("M" + std::string(name));
      if (modified != nullptr && modified->name != "X") return *modified;
    }
    return *v.value(name);
  };
  const bool is_changed = chosen("S").name == "C";
  // Requirements count only for the environment; "CR" is 1 where not given.
  const auto kept = [&](std::string_view impact, std::string_view requirement) {
    return 1 - chosen(impact).weight * (is_environmental ? v.weight(requirement, 1) : 1);
  };
  double sub_score = 1 - kept("C", "CR") * kept("I", "IR") * kept("A", "AR");
  if (is_environmental) sub_score = std::min(sub_score, 0.915);
  double impact = 6.42 * sub_score;
  if (is_changed) {
    const bool is_new = is_31 && is_environmental;
    impact = 7.52 * (sub_score - 0.029) - 3.25 * (is_new ? std::pow(sub_score * 0.9731 - 0.02, 13)
                                                         : std::pow(sub_score - 0.02, 15));
  }
  const double exploitability = 8.22 * chosen("AV").weight * chosen("AC").weight *
                                privileges_weight(chosen("PR"), is_changed) * chosen("UI").weight;
  if (impact <= 0) return 0;
  const int score =
      tenth_above(std::min((is_changed ? 1.08 : 1) * (impact + exploitability), 10.0), is_31);
  if (!is_environmental && !v.has(Group::kTemporal)) return score;
  return tenth_above(score / 10.0 * v.weight("E", 1) * v.weight("RL", 1) * v.weight("RC", 1),
                     is_31);
}

// v4.0 §8.3: the scores of the MacroVectors in tenths, published with the calculator. Rows go over
// EQ1 and EQ2, then EQ3; in a row EQ4, EQ5 and EQ6 follow one another, the last fastest. With EQ3 2
// there is EQ6 1 only.
constexpr std::array<uint8_t, 270> kMacroScores = {
    100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68, 98, 95, 95, 92, 90,
    84,  93, 92, 89, 81, 81, 65,  88, 80, 78, 70, 69, 48, 92, 82, 72, 79, 69, 50, 69, 55, 27, 99,
    97,  95, 92, 92, 85, 95, 91,  90, 83, 84, 71, 92, 81, 82, 71, 72, 53, 95, 93, 92, 85, 85, 73,
    92,  82, 80, 72, 70, 59, 84,  70, 71, 52, 50, 30, 86, 75, 52, 71, 52, 29, 63, 29, 17, 98, 95,
    94,  87, 91, 81, 94, 89, 86,  74, 77, 64, 87, 75, 74, 63, 63, 49, 94, 89, 88, 77, 76, 67, 86,
    76,  74, 58, 59, 50, 72, 57,  57, 52, 52, 25, 83, 70, 54, 65, 58, 26, 53, 21, 13, 95, 90, 88,
    76,  76, 70, 90, 77, 75, 62,  61, 53, 77, 66, 68, 59, 52, 30, 89, 78, 76, 67, 62, 58, 74, 59,
    57,  57, 47, 23, 61, 52, 57,  29, 24, 16, 71, 59, 30, 58, 26, 15, 23, 13, 6,  93, 87, 86, 72,
    75,  58, 86, 74, 74, 61, 56,  34, 70, 54, 52, 40, 40, 22, 85, 75, 74, 55, 62, 51, 72, 57, 55,
    41,  46, 19, 53, 36, 34, 19,  19, 8,  64, 51, 20, 47, 21, 11, 24, 9,  4,  88, 75, 73, 53, 60,
    50,  73, 55, 59, 40, 41, 20,  54, 43, 45, 22, 20, 11, 75, 55, 58, 45, 40, 21, 61, 51, 48, 18,
    20,  9,  46, 18, 17, 7,  8,   2,  53, 24, 14, 24, 12, 5,  10, 3,  1,
};

struct MacroVector {
  int eq1 = 0, eq2 = 0, eq3 = 0, eq4 = 0, eq5 = 0, eq6 = 0;
};

// In tenths; below zero where there is no such MacroVector.
int macro_score(const MacroVector& m) {
  const bool exists = m.eq1 <= 2 && m.eq2 <= 1 && m.eq3 <= 2 && m.eq4 <= 2 && m.eq5 <= 2 &&
                      m.eq6 <= 1 && !(m.eq3 == 2 && m.eq6 == 0);
  if (!exists) return -1;
  int index = (m.eq1 * 2 + m.eq2) * 45 + m.eq3 * 18;
  index += m.eq3 == 2 ? m.eq4 * 3 + m.eq5 : m.eq4 * 6 + m.eq5 * 2 + m.eq6;
  return kMacroScores[static_cast<size_t>(index)];
}

// The levels of the metrics that are scored: steps from the most severe value (§8.2).
struct Levels4 {
  int av, pr, ui, ac, at, vc, vi, va, sc, si, sa, cr, ir, ar, e;
};

Levels4 levels_of(const Parsed& v) {
  const auto level = [&](std::string_view name) {
    const MetricValue* modified = v.value("M" + std::string(name));
    if (modified != nullptr && modified->name != "X") return static_cast<int>(modified->weight);
    // Requirements and exploit maturity that are not given count as the worst, whose level is 0.
    return static_cast<int>(v.weight(name, 0));
  };
  return {.av = level("AV"),
          .pr = level("PR"),
          .ui = level("UI"),
          .ac = level("AC"),
          .at = level("AT"),
          .vc = level("VC"),
          .vi = level("VI"),
          .va = level("VA"),
          .sc = level("SC"),
          .si = level("SI"),
          .sa = level("SA"),
          .cr = level("CR"),
          .ir = level("IR"),
          .ar = level("AR"),
          .e = level("E")};
}

// Tables 24 to 29.
MacroVector macro_vector(const Levels4& l) {
  MacroVector m;
  const bool is_any_open = l.av == 0 || l.pr == 0 || l.ui == 0;
  m.eq1 = l.av == 0 && l.pr == 0 && l.ui == 0 ? 0 : is_any_open && l.av != 3 ? 1 : 2;
  m.eq2 = l.ac == 0 && l.at == 0 ? 0 : 1;
  m.eq3 = l.vc == 0 && l.vi == 0 ? 0 : l.vc == 0 || l.vi == 0 || l.va == 0 ? 1 : 2;
  m.eq4 = l.si == 0 || l.sa == 0 ? 0 : l.sc == 1 || l.si == 1 || l.sa == 1 ? 1 : 2;
  m.eq5 = l.e;
  const bool is_required =
      (l.cr == 0 && l.vc == 0) || (l.ir == 0 && l.vi == 0) || (l.ar == 0 && l.va == 0);
  m.eq6 = is_required ? 0 : 1;
  return m;
}

// The steps from the first of the highest vectors of an equivalence class that is nowhere less
// severe than the levels given. The classes are made so that there always is one.
template <size_t kMetrics, size_t kVectors>
int steps_from_highest(const std::array<int, kMetrics>& levels,
                       const std::array<std::array<int, kMetrics>, kVectors>& highest) {
  for (const auto& vector : highest) {
    int steps = 0;
    bool is_above = true;
    for (size_t i = 0; i < kMetrics; ++i) {
      is_above = is_above && levels[i] >= vector[i];
      steps += levels[i] - vector[i];
    }
    if (is_above) return steps;
  }
  return 0;
}

int steps_eq1(const Levels4& l, int eq1) {
  const std::array<int, 3> levels = {l.av, l.pr, l.ui};
  if (eq1 == 0) return 0;
  if (eq1 == 1) {
    return steps_from_highest<3, 3>(levels, {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}});
  }
  return steps_from_highest<3, 2>(levels, {{{3, 0, 0}, {1, 1, 1}}});
}

int steps_eq2(const Levels4& l, int eq2) {
  return eq2 == 0 ? 0 : steps_from_highest<2, 2>({l.ac, l.at}, {{{1, 0}, {0, 1}}});
}

int steps_eq3_eq6(const Levels4& l, const MacroVector& m) {
  const std::array<int, 6> levels = {l.vc, l.vi, l.va, l.cr, l.ir, l.ar};
  if (m.eq3 == 2) return steps_from_highest<6, 1>(levels, {{{1, 1, 1, 0, 0, 0}}});
  if (m.eq3 == 0 && m.eq6 == 0) return steps_from_highest<6, 1>(levels, {{{0, 0, 0, 0, 0, 0}}});
  if (m.eq3 == 0) {
    return steps_from_highest<6, 2>(levels, {{{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}}});
  }
  if (m.eq6 == 0) {
    return steps_from_highest<6, 2>(levels, {{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}}});
  }
  return steps_from_highest<6, 5>(levels, {{{1, 0, 1, 0, 1, 0},
                                            {1, 0, 0, 0, 1, 1},
                                            {0, 1, 0, 1, 0, 1},
                                            {0, 1, 1, 1, 0, 0},
                                            {1, 1, 0, 0, 0, 1}}});
}

int steps_eq4(const Levels4& l, int eq4) {
  // The highest vectors: SC:H with safety, all high, all low.
  static constexpr int kHighest[3][3] = {{1, 0, 0}, {1, 1, 1}, {2, 2, 2}};
  const int* highest = kHighest[eq4];
  return l.sc - highest[0] + l.si - highest[1] + l.sa - highest[2];
}

// The score of the next lower MacroVector in EQ3 and EQ6, which depend on each other.
int lower_eq3_eq6(const MacroVector& m) {
  MacroVector less_impact = m;
  ++less_impact.eq3;
  MacroVector less_required = m;
  ++less_required.eq6;
  if (m.eq6 == 1) return macro_score(less_impact);
  if (m.eq3 == 1) return macro_score(less_required);
  return std::max(macro_score(less_impact), macro_score(less_required));
}

// §8.2: the score of the MacroVector, less the mean of how far, in proportion, the vector is on its
// way to each next lower one. In fractions of whole numbers, halves round up.
int score4(const Parsed& v) {
  const Levels4 l = levels_of(v);
  if (l.vc == 2 && l.vi == 2 && l.va == 2 && l.sc == 3 && l.si == 3 && l.sa == 3) return 0;
  const MacroVector m = macro_vector(l);
  const int score = macro_score(m);
  // The depth of each class: the steps it spans, and one (Table 30).
  static constexpr int kDepthEq1[] = {1, 4, 5};
  static constexpr int kDepthEq2[] = {1, 2};
  static constexpr int kDepthEq3Eq6[3][2] = {{7, 6}, {8, 8}, {0, 10}};
  static constexpr int kDepthEq4[] = {6, 5, 4};
  constexpr int kUnit = 2520;  // Every depth divides it.
  int64_t sum = 0;
  int lower_count = 0;
  const auto add = [&](int lower, int steps, int depth) {
    if (lower < 0) return;
    ++lower_count;
    sum += static_cast<int64_t>(score - lower) * steps * (kUnit / depth);
  };
  const auto lower = [&](int MacroVector::* eq) {
    MacroVector next = m;
    ++(next.*eq);
    return macro_score(next);
  };
  add(lower(&MacroVector::eq1), steps_eq1(l, m.eq1), kDepthEq1[m.eq1]);
  add(lower(&MacroVector::eq2), steps_eq2(l, m.eq2), kDepthEq2[m.eq2]);
  add(lower_eq3_eq6(m), steps_eq3_eq6(l, m), kDepthEq3Eq6[m.eq3][m.eq6]);
  add(lower(&MacroVector::eq4), steps_eq4(l, m.eq4), kDepthEq4[m.eq4]);
  add(lower(&MacroVector::eq5), 0, 1);
  if (lower_count == 0) return score;
  const int64_t denominator = static_cast<int64_t>(kUnit) * lower_count;
  const int64_t tenths = score * denominator - sum;
  return static_cast<int>(
      std::clamp<int64_t>((2 * tenths + denominator) / (2 * denominator), 0, 100));
}

int tenths_of(double score) {
  return static_cast<int>(std::lround(score * 10));
}

}  // namespace

Result<Cvss> parse_cvss(std::string_view vector) {
  const Parsed parsed = TRY(parse(vector));
  Cvss out;
  out.vector = vector;
  out.version = parsed.version->name;
  const int tenths = out.version == "2.0"   ? score2(parsed)
                     : out.version == "4.0" ? score4(parsed)
                                            : score3(parsed);
  out.score = std::max(tenths, 0) / 10.0;
  return out;
}

std::optional<CvssHalves> cvss_halves(std::string_view vector) {
  const Result<Parsed> parsed = parse(vector);
  if (!parsed || parsed->version->name == "4.0") return std::nullopt;
  const auto weight = [&](std::string_view metric) { return parsed->weight(metric, 0); };
  const double kept = (1 - weight("C")) * (1 - weight("I")) * (1 - weight("A"));
  double impact = 10.41 * (1 - kept);
  double exploitability = 20 * weight("AV") * weight("AC") * weight("Au");
  if (parsed->version->name != "2.0") {
    const bool is_changed = parsed->value("S")->name == "C";
    impact = is_changed ? 7.52 * (1 - kept - 0.029) - 3.25 * std::pow(1 - kept - 0.02, 15)
                        : 6.42 * (1 - kept);
    exploitability = 8.22 * weight("AV") * weight("AC") * weight("UI") *
                     privileges_weight(*parsed->value("PR"), is_changed);
  }
  const auto rounded = [](double half) {
    return tenth_above(std::clamp(half, 0.0, 10.0), true) / 10.0;
  };
  return CvssHalves{.exploitability = rounded(exploitability), .impact = rounded(impact)};
}

Result<std::string> normal_cvss(std::string_view vector) {
  const Parsed parsed = TRY(parse(vector));
  std::string out(parsed.version->prefix);
  for (size_t i = 0; i < parsed.version->metrics.size(); ++i) {
    if (parsed.chosen[i] < 0) continue;
    const Metric& metric = parsed.version->metrics[i];
    if (out.size() > parsed.version->prefix.size()) out += '/';
    out += metric.name;
    out += ':';
    out += metric.values[static_cast<size_t>(parsed.chosen[i])].name;
  }
  return out;
}

Severity severity_of(const Cvss& cvss) {
  const int tenths = tenths_of(cvss.score);
  const bool is_2 = cvss.version == "2.0";
  if (tenths <= 0 && !is_2) return Severity::kNegligible;
  if (tenths < 40) return Severity::kLow;
  if (tenths < 70) return Severity::kMedium;
  return tenths < 90 || is_2 ? Severity::kHigh : Severity::kCritical;
}

}  // namespace vigil
