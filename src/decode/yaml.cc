#include "decode/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

#include "base/limits.h"

namespace vigil::decode {

namespace {

// Builds the tree from yaml-cpp's events. yaml-cpp hands an alias over as one event and leaves the
// copying to us, which is why it can be bounded here: its own node tree would share the nodes and
// leave the expansion to whoever walks them. After the first error all events are ignored.
class TreeBuilder : public YAML::EventHandler {
 public:
  // True once the error is set: the caller stops asking for documents.
  const std::optional<Error>& error() const { return error_; }
  int documents_count() const { return documents_count_; }
  Yaml take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {
    ++documents_count_;
    if (documents_count_ > 1) refuse(ErrorCode::kUnsupported, "YAML of more than one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Yaml node;
    node.line = line_of(mark);
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark&, YAML::anchor_t anchor) override {
    if (error_) return;
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) {
      refuse(ErrorCode::kMalformed, "YAML alias to a node that holds it");
      return;
    }
    if (charge_copy(found->second, open_.size())) add(found->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& text) override {
    Yaml node;
    node.kind = Yaml::Kind::kScalar;
    node.line = line_of(mark);
    node.scalar = text;
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Yaml::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Yaml::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Yaml node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<std::string> key;  // Read, and waiting for its value.
  };

  void refuse(ErrorCode code, const char* message) {
    if (!error_) error_ = Error{code, message, {}};
  }

  static uint32_t line_of(const YAML::Mark& mark) { return static_cast<uint32_t>(mark.line + 1); }

  void begin(Yaml::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (error_) return;
    if (open_.size() >= limits::kYamlDepthMax) {
      refuse(ErrorCode::kTooLarge, "YAML nested deeper than kYamlDepthMax");
      return;
    }
    open_.push_back({});
    open_.back().node.kind = kind;
    open_.back().node.line = line_of(mark);
    open_.back().anchor = anchor;
  }

  void end() {
    if (error_ || open_.empty()) return;
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }

  // Puts a finished node where it belongs.
  void add(Yaml node, YAML::anchor_t anchor) {
    if (error_) return;
    if (++nodes_count_ > limits::kYamlNodesMax) {
      refuse(ErrorCode::kTooLarge, "YAML of more than kYamlNodesMax nodes");
      return;
    }
    if (anchor != YAML::NullAnchor) {
      if (!charge_copy(node, 0)) return;
      anchored_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Yaml::Kind::kList) {
      parent.node.list.push_back(std::move(node));
    } else if (parent.key) {
      parent.node.map.emplace_back(*std::move(parent.key), std::move(node));
      parent.key.reset();
    } else if (node.kind == Yaml::Kind::kScalar || node.kind == Yaml::Kind::kNull) {
      parent.key = std::move(node.scalar);
    } else {
      refuse(ErrorCode::kUnsupported, "YAML map with a key that is no scalar");
    }
  }

  // Counts a node that is about to be copied to `depth`; false past a bound.
  bool charge_copy(const Yaml& node, size_t depth) {
    if (depth > limits::kYamlDepthMax) {
      refuse(ErrorCode::kTooLarge, "YAML aliases nested deeper than kYamlDepthMax");
      return false;
    }
    copied_count_ += 1 + node.scalar.size() / 64;
    if (copied_count_ > limits::kYamlAliasNodesMax) {
      refuse(ErrorCode::kTooLarge, "YAML aliases expand to more than kYamlAliasNodesMax nodes");
      return false;
    }
    for (const Yaml& child : node.list) {
      if (!charge_copy(child, depth + 1)) return false;
    }
    for (const auto& [key, child] : node.map) {
      copied_count_ += key.size() / 64;
      if (!charge_copy(child, depth + 1)) return false;
    }
    return true;
  }

  Yaml root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Yaml> anchored_;
  std::optional<Error> error_;
  uint64_t nodes_count_ = 0;
  uint64_t copied_count_ = 0;
  int documents_count_ = 0;
};

}  // namespace

Yaml::Yaml() = default;
Yaml::Yaml(const Yaml&) = default;
Yaml::Yaml(Yaml&&) noexcept = default;
Yaml& Yaml::operator=(const Yaml&) = default;
Yaml& Yaml::operator=(Yaml&&) noexcept = default;
Yaml::~Yaml() = default;

const Yaml& Yaml::operator[](std::string_view key) const {
  static const Yaml absent;
  for (const auto& [name, value] : map) {
    if (name == key) return value;
  }
  return absent;
}

Result<Yaml> parse_yaml(std::string_view text) {
  if (text.size() > limits::kDocumentBytesMax) {
    return fail(ErrorCode::kTooLarge, "YAML larger than kDocumentBytesMax");
  }
  TreeBuilder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (!builder.error() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::kMalformed,
                "YAML line " + std::to_string(exception.mark.line + 1) + ": " + exception.msg);
  } catch (const std::exception& exception) {
    // yaml-cpp lets a few of the standard library's own out of its scanner on malformed input.
    return fail(ErrorCode::kMalformed, std::string("YAML: ") + exception.what());
  }
  if (builder.error()) return std::unexpected(*builder.error());
  return builder.take();
}

}  // namespace vigil::decode
