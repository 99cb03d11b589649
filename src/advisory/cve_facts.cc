#include "advisory/cve_facts.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace vigil::advisory {

namespace {

// "nvd" and "cisa-adp" as the field calls them; others by the name they have in the feed.
std::string source_name(std::string_view source) {
  if (source == "nvd@nist.gov") return "nvd";
  if (source == "134c704f-9b21-4f2e-91b3-4a467353bcc0" || source == "CISA-ADP") return "cisa-adp";
  return std::string(source);
}

// A vector with the score that follows from it. Each vector once per source.
void add_cvss(std::string_view vector, std::string_view source, CveFacts& facts,
              AdvisorySink& sink) {
  Result<Cvss> cvss = parse_cvss(vector);
  if (!cvss) {
    sink.skip("a CVSS vector that is not understood");
    return;
  }
  cvss->source = source_name(source);
  if (std::ranges::find(facts.cvss, *cvss) == facts.cvss.end()) {
    facts.cvss.push_back(*std::move(cvss));
  }
}

// "CWE-79"; others, as NVD-CWE-noinfo, say that there is none.
void add_cwe(std::string_view cwe, CveFacts& facts) {
  const std::string_view digits = cwe.starts_with("CWE-") ? cwe.substr(4) : "";
  const bool is_cwe = !digits.empty() && digits.size() <= 9 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_cwe && std::ranges::find(facts.cwes, cwe) == facts.cwes.end()) {
    facts.cwes.emplace_back(cwe);
  }
}

void add_nvd_record(JsonView cve, AdvisorySink& sink) {
  CveFacts facts;
  facts.cve = cve["id"].text();
  if (!is_cve(facts.cve)) {
    sink.skip("nvd: a record without a CVE id");
    return;
  }
  facts.published_at = parse_time_or_zero(cve["published"].text());
  facts.is_rejected = cve["vulnStatus"].text() == "Rejected";
  for (const std::string_view version :
       {"cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2"}) {
    cve["metrics"][version].each([&](JsonView metric) {
      add_cvss(metric["cvssData"]["vectorString"].text(), metric["source"].text(), facts, sink);
    });
  }
  cve["weaknesses"].each([&](JsonView weakness) {
    weakness["description"].each([&](JsonView one) { add_cwe(one["value"].text(), facts); });
  });
  sink.add_facts(std::move(facts));
}

// The CVSS and CWE of one container of a CVE record.
void read_container(JsonView container, CveFacts& facts, AdvisorySink& sink) {
  const std::string_view source = container["providerMetadata"]["shortName"].text();
  container["metrics"].each([&](JsonView metric) {
    for (const std::string_view version : {"cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"}) {
      const JsonView cvss = metric[version];
      if (cvss) add_cvss(cvss["vectorString"].text(), source, facts, sink);
    }
  });
  container["problemTypes"].each([&](JsonView problem) {
    problem["descriptions"].each([&](JsonView one) { add_cwe(one["cweId"].text(), facts); });
  });
}

// The front of `text` up to `end` or the whole of it, taken off with the character after it.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return front;
}

std::string_view take_line(std::string_view& text) {
  std::string_view line = take_until(text, '\n');
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// A number from 0 to 1; below 0 where it is none.
double fraction(std::string_view text) {
  double value = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return is_whole && value >= 0 && value <= 1 ? value : -1;
}

}  // namespace

Status add_kev(std::string_view json, const FeedFile& file, AdvisorySink& sink) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(json));
  const JsonView vulnerabilities = root["vulnerabilities"];
  if (!vulnerabilities.is_array()) {
    return fail(ErrorCode::kMalformed, "not a KEV catalog: it has no list 'vulnerabilities'");
  }
  vulnerabilities.each([&](JsonView one) {
    CveFacts facts;
    facts.cve = one["cveID"].text();
    if (!is_cve(facts.cve)) {
      sink.skip("kev: a record without a CVE id");
      return;
    }
    facts.is_known_exploited = true;
    facts.is_ransomware_known = one["knownRansomwareCampaignUse"].text() == "Known";
    facts.known_exploited_at = parse_time_or_zero(one["dateAdded"].text());
    one["cwes"].each([&](JsonView cwe) { add_cwe(cwe.text(), facts); });
    sink.add_facts(std::move(facts));
  });
  const UnixSeconds released_at = parse_time_or_zero(root["dateReleased"].text());
  sink.add_source(kFactsShard, "kev", file.coverage, file.as_of != 0 ? file.as_of : released_at);
  return {};
}

UnixSeconds epss_date(std::string_view csv) {
  constexpr std::string_view kLabel = "score_date:";
  const std::string_view comment = take_line(csv);
  const size_t label = comment.starts_with('#') ? comment.find(kLabel) : std::string_view::npos;
  if (label == std::string_view::npos) return 0;
  std::string_view date = comment.substr(label + kLabel.size());
  return parse_time_or_zero(take_until(date, ','));
}

Status add_epss(std::string_view csv, const FeedFile& file, AdvisorySink& sink) {
  const UnixSeconds date = epss_date(csv);
  const UnixSeconds scored_at = date != 0 ? date : file.as_of;
  if (csv.starts_with('#')) take_line(csv);
  if (take_line(csv) != "cve,epss,percentile") {
    return fail(ErrorCode::kMalformed, "not EPSS scores: no head 'cve,epss,percentile'");
  }
  while (!csv.empty()) {
    std::string_view line = take_line(csv);
    if (line.empty()) continue;
    CveFacts facts;
    facts.cve = take_until(line, ',');
    facts.epss = fraction(take_until(line, ','));
    facts.epss_percentile = fraction(line);
    if (!is_cve(facts.cve) || facts.epss < 0 || facts.epss_percentile < 0) {
      sink.skip("epss: a line that is not understood");
      continue;
    }
    sink.add_facts(std::move(facts));
  }
  sink.add_epss_date(scored_at);
  sink.add_source(kFactsShard, "epss", file.coverage, file.as_of != 0 ? file.as_of : scored_at);
  return {};
}

Status add_nvd(std::string_view json, const FeedFile& file, AdvisorySink& sink) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(json));
  const JsonView vulnerabilities = root["vulnerabilities"];
  if (!vulnerabilities.is_array()) {
    return fail(ErrorCode::kMalformed, "not NVD JSON 2.0: it has no list 'vulnerabilities'");
  }
  vulnerabilities.each([&](JsonView one) { add_nvd_record(one["cve"], sink); });
  const UnixSeconds made_at = parse_time_or_zero(root["timestamp"].text());
  sink.add_source(kFactsShard, "nvd", file.coverage, file.as_of != 0 ? file.as_of : made_at);
  return {};
}

Result<UnixSeconds> add_cve_record(std::string_view json, AdvisorySink& sink) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(json));
  const JsonView metadata = root["cveMetadata"];
  CveFacts facts;
  facts.cve = metadata["cveId"].text();
  if (!is_cve(facts.cve)) return fail(ErrorCode::kMalformed, "not a CVE record: it has no cveId");
  facts.published_at = parse_time_or_zero(metadata["datePublished"].text());
  facts.is_rejected = metadata["state"].text() == "REJECTED";
  read_container(root["containers"]["cna"], facts, sink);
  root["containers"]["adp"].each(
      [&](JsonView container) { read_container(container, facts, sink); });
  sink.add_facts(std::move(facts));
  return parse_time_or_zero(metadata["dateUpdated"].text());
}

}  // namespace vigil::advisory
