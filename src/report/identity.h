// Names that documents give to what they hold. The same content gives the same names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"

namespace vigil::report {

// 16 hexadecimal digits a package, in the order of Sbom::packages: unique in the document, and
// equal between scans while purl, name, version, place and document reference are.
std::vector<std::string> package_ids(const Sbom& sbom);

// A UUID that follows from all that the document says (RFC 9562, version 8).
std::string document_uuid(std::string_view content);

// Two indented JSON objects, as a JsonWriter writes them and neither empty, as one with the members
// of both: a head that identifies its body can be written only after it.
std::string joined_objects(std::string_view head, std::string_view body);

// The package's licences one by one: of a Debian package the parts of "A AND B", else the text that
// its database has. Empty where it has none.
std::vector<std::string_view> licences_of(const Package& package);

// The diff id of the layer that introduced the package; "" where none is known.
std::string_view layer_of(const Sbom& sbom, const Package& package);

// Text that is a web address and needs no escaping: begins with http:// or https://, and holds
// neither spaces nor control characters nor other than ASCII.
bool is_web_address(std::string_view text);

// A page about the id: the url of the first record that has one, else the CVE's page at cve.org;
// "" for ids that are no CVE.
std::string page_of(const Finding& finding);

// A sentence that says what to do: "Upgrade libssl3 to 3.0.15-1.", "No fix yet.".
std::string advice(const Package& package, const Finding& finding);

}  // namespace vigil::report
