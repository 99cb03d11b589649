#include "image/layered_image.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/limits.h"
#include "base/thread_pool.h"
#include "decode/inflate.h"
#include "image/layer_walk.h"
#include "image/squash.h"

namespace vigil::image {

namespace {

using decode::ByteStream;
using decode::HashTap;

class LayeredImage final : public Image {
 public:
  const Target& target() const override { return target_; }
  const std::vector<Layer>& layers() const override { return layers_; }
  const std::vector<Gap>& gaps() const override { return gaps_; }
  const ImageFs& fs() const override { return *squash_; }

  std::unique_ptr<ImageFs> fs_at(size_t layer) const override {
    CHECK(layer < contents_.size());
    auto squash = std::make_unique<Squash>();
    for (size_t i = 0; i <= layer; ++i) squash->add(contents_[i], overwrites_[i], claims_);
    squash->finish();
    return squash;
  }

  std::vector<std::string> changed_paths(size_t layer) const override {
    CHECK(layer < changed_.size());
    return changed_[layer];
  }

 private:
  friend class Reader;
  explicit LayeredImage(ClaimTable claims) : claims_(std::move(claims)) {}

  Target target_;
  std::vector<Layer> layers_;
  std::vector<Gap> gaps_;
  ClaimTable claims_;
  std::vector<LayerContents> contents_;
  std::vector<std::vector<Overwrite>> overwrites_;
  std::vector<std::vector<std::string>> changed_;
  std::unique_ptr<Squash> squash_;
};

// Stops an image whose layers together are past any bound.
class ImageBound final : public ByteStream {
 public:
  // `stop`: a budget after whose end nobody wants the rest; null: everything is wanted.
  ImageBound(ByteStream& source, std::atomic<uint64_t>& bytes, const KeptBudget* stop,
             WorkCounts& work)
      : source_(source), bytes_(bytes), stop_(stop), work_(work) {}
  Result<ByteView> next() override {
    if (stop_ != nullptr && stop_->is_exceeded()) {
      return fail(ErrorCode::kCancelled, "the layer is walked again");
    }
    const ByteView piece = TRY(source_.next());
    add_count(work_.bytes_inflated, piece.size());
    if (bytes_.fetch_add(piece.size()) + piece.size() > limits::kImageBytesMax) {
      return fail(ErrorCode::kTooLarge, "the image's layers are larger than kImageBytesMax");
    }
    return piece;
  }
  uint64_t skip(uint64_t bytes_max) override { return source_.skip(bytes_max); }

 private:
  ByteStream& source_;
  std::atomic<uint64_t>& bytes_;
  const KeptBudget* stop_;
  WorkCounts& work_;
};

// Counts what is read of a blob, and what of it is left out.
class CountingStream final : public ByteStream {
 public:
  CountingStream(ByteStream& source, WorkCounts& work) : source_(source), work_(work) {}
  Result<ByteView> next() override {
    const ByteView piece = TRY(source_.next());
    add_count(work_.bytes_read, piece.size());
    add_count(work_.bytes_done, piece.size());
    return piece;
  }
  uint64_t skip(uint64_t bytes_max) override {
    const uint64_t skipped = source_.skip(bytes_max);
    add_count(work_.bytes_done, skipped);
    return skipped;
  }

 private:
  ByteStream& source_;
  WorkCounts& work_;
};

// Where the claims lead, looked up again after each layer.
class ClaimWays {
 public:
  explicit ClaimWays(const ClaimTable& claims) : claims_(claims) {}

  // Adds to `changed`, which holds canonical paths, the claimed names that lead to one of them or
  // lead elsewhere than before.
  void add_names(const Squash& squash, std::set<std::string>& changed) {
    const std::set<std::string> canonical = changed;
    for (const auto& [path, bytes_max] : claims_.paths()) {
      std::string now = squash.resolve(path);
      std::string& before = ways_[path];
      const bool has_moved =
          before != now && (squash.has_content(now) || canonical.contains(before));
      if (has_moved && squash.has_content(now)) changed.insert(now);
      if (has_moved || canonical.contains(now)) changed.insert(path);
      before = std::move(now);
    }
    for (const auto& [folder, claim] : claims_.folders()) {
      std::string now = squash.resolve(folder);
      std::string& before = ways_[folder];
      if (now != folder) {
        for (auto at = canonical.lower_bound(now + "/");
             at != canonical.end() && is_below(*at, now); ++at) {
          if (folder_of(*at) == now) changed.insert(join(folder, name_of(*at)));
        }
      }
      if (before != now) {
        for (const std::string& name : squash.list(now)) changed.insert(join(folder, name));
      }
      before = std::move(now);
    }
  }

 private:
  const ClaimTable& claims_;
  std::map<std::string, std::string> ways_;
};

class Reader {
 public:
  Reader(LayeredImageSource source, const OpenOptions& options)
      : source_(std::move(source)),
        options_(options),
        work_(options.work == nullptr ? uncounted_ : *options.work),
        image_(new LayeredImage(ClaimTable(options.claims))) {}

  Result<std::unique_ptr<Image>> run() {
    CHECK(source_.layers.size() == source_.sources.size());
    for (uint64_t pass = 1;; ++pass) {
      TRY(walk_all());
      squash();
      if (!claim_more() || pass == limits::kLayerPassesMax) break;
    }
    note_lost_links();
    image_->target_ = std::move(source_.target);
    image_->layers_ = std::move(source_.layers);
    image_->gaps_ = std::move(source_.gaps);
    for (LayerContents& layer : image_->contents_) {
      std::ranges::move(layer.gaps, std::back_inserter(image_->gaps_));
      layer.gaps.clear();
    }
    std::ranges::move(lost_, std::back_inserter(image_->gaps_));
    std::unique_ptr<Image> image = std::move(image_);
    return image;
  }

 private:
  // Side by side. Where the layers keep more than there is room for, one after the other instead,
  // the uppermost first, so that what is left out does not depend on threads and matters least.
  Status walk_all() {
    TRY(walk_all_in_parallel());
    if (!budget_->is_exceeded()) return {};
    forget_walks();
    for (size_t i = source_.layers.size(); i-- > 0;) {
      if (!source_.sources[i].is_absent)
        TRY(with_context(walk_one(i, Walk::kFinal), source_.sources[i].name));
    }
    return {};
  }

  void forget_walks() {
    uint64_t bytes_total = 0;
    uint64_t layers_total = 0;
    for (size_t i = 0; i < source_.layers.size(); ++i) {
      if (source_.sources[i].is_absent) continue;
      bytes_total += source_.layers[i].bytes;
      ++layers_total;
    }
    set_count(work_.bytes_total, bytes_total);
    set_count(work_.layers_total, layers_total);
    set_count(work_.bytes_done, 0);
    set_count(work_.layers_done, 0);
    image_->contents_.clear();
    image_->contents_.resize(source_.layers.size());
    image_bytes_ = 0;
    budget_.emplace();
  }

  Status walk_all_in_parallel() {
    const size_t count = source_.layers.size();
    forget_walks();
    std::vector<Status> statuses(count);
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    // The largest first, so that none is left over alone at the end.
    std::ranges::stable_sort(order, std::greater(),
                             [&](size_t i) { return source_.layers[i].bytes; });
    parallel_for(count, options_.threads_count, [&](size_t turn) {
      const size_t i = order[turn];
      if (source_.sources[i].is_absent || budget_->is_exceeded()) return;
      statuses[i] = with_context(walk_one(i, Walk::kFirst), source_.sources[i].name);
    });
    if (budget_->is_exceeded()) return {};  // Which layers failed would depend on threads.
    for (Status& status : statuses) TRY(std::move(status));
    return {};
  }

  Result<Blob> open_blob(size_t index) {
    const std::lock_guard lock(store_mutex_);
    return source_.store.open(source_.sources[index].blob_name);
  }

  enum class Walk { kFirst, kFinal };

  Status walk_one(size_t index, Walk walk) {
    TRY(walk_uncounted(index, walk));
    add_count(work_.layers_done, 1);
    return {};
  }

  Status walk_uncounted(size_t index, Walk walk) {
    const LayerSource& source = source_.sources[index];
    Layer& layer = source_.layers[index];
    LayerContents& contents = image_->contents_[index];
    const Blob blob = TRY(open_blob(index));
    const bool wants_diff_id = options_.verify_diff_ids && !layer.diff_id.empty();
    const bool wants_hash = wants_diff_id || !source.digest.empty();
    std::optional<SideThread> side;
    if (wants_hash && options_.threads_count != 1) side.emplace();
    SideThread* const side_thread = side ? &*side : nullptr;

    const size_t pieces_kept = wants_hash ? HashTap::kPiecesKept : 1;
    decode::FileStream blob_file(*blob.fd, blob.offset, blob.bytes, pieces_kept);
    CountingStream file(blob_file, work_);
    HashTap blob_tap(file, side_thread);
    ByteStream& stored = source.digest.empty() ? static_cast<ByteStream&>(file) : blob_tap;
    Result<std::unique_ptr<ByteStream>> inflated = open_inflate(stored, pieces_kept);
    if (!inflated) {
      contents.gaps.push_back(gap_of(inflated.error(), source.name));
    } else {
      HashTap tar_tap(**inflated, side_thread);
      ByteStream& tar = wants_diff_id ? static_cast<ByteStream&>(tar_tap) : **inflated;
      ImageBound bound(tar, image_bytes_, walk == Walk::kFirst ? &*budget_ : nullptr, work_);
      contents = walk_layer(bound, source.name, image_->claims_,
                            index == 0 ? LayerPosition::kBase : LayerPosition::kUpper, *budget_);
      add_count(work_.files_count, contents.entries_count);
      // A layer that broke has no digest to compare, and a gap says so already.
      if (wants_diff_id) {
        const Result<Sha256Digest> digest = tar_tap.finish();
        if (digest) {
          TRY(compare("the tar inside has digest ", digest->text(), layer.diff_id));
          layer.is_verified = true;
        }
      }
    }
    if (source.digest.empty()) return {};
    const Result<Sha256Digest> digest = blob_tap.finish();
    if (!digest) {
      contents.gaps.push_back(gap_of(digest.error(), source.name));
      return {};
    }
    TRY(compare("the blob has digest ", digest->text(), source.digest));
    layer.is_verified = true;
    return {};
  }

  static Status compare(std::string_view what, const std::string& found,
                        const std::string& claimed) {
    if (found == claimed) return {};
    return fail(ErrorCode::kMalformed,
                std::string(what) + found + ", but " + claimed + " is claimed");
  }

  void squash() {
    image_->overwrites_ = find_overwrites(image_->contents_);
    for (LayerContents& layer : image_->contents_) layer.written = {};
    image_->squash_ = std::make_unique<Squash>();
    image_->changed_.clear();
    wanted_.clear();
    ClaimWays ways(image_->claims_);
    for (size_t i = 0; i < image_->contents_.size(); ++i) {
      std::set<std::string> changed = image_->squash_->add(
          image_->contents_[i], image_->overwrites_[i], image_->claims_, &wanted_);
      ways.add_names(*image_->squash_, changed);
      image_->changed_.emplace_back(changed.begin(), changed.end());
    }
    image_->squash_->finish();
  }

  // Whether a claim leads to a content that was not kept, which is then claimed too.
  bool claim_more() {
    ClaimTable more = image_->claims_;
    bool has_more = false;
    for (const WantedContent& wanted : wanted_) {
      const std::optional<uint64_t> bytes_max = more.find(wanted.path);
      if (more.find(wanted.target) || !bytes_max) continue;
      more.add_path(wanted.target, *bytes_max);
      has_more = true;
    }
    for (const auto& [path, bytes_max] : image_->claims_.paths()) {
      const std::string leads_to = image_->squash_->resolve(path);
      if (more.find(leads_to)) continue;
      more.add_path(leads_to, bytes_max);
      has_more = true;
    }
    for (const auto& [folder, claim] : image_->claims_.folders()) {
      const std::string leads_to = image_->squash_->resolve(folder);
      const auto known = more.folders().find(leads_to);
      if (known != more.folders().end() &&
          std::ranges::includes(known->second.endings, claim.endings)) {
        continue;
      }
      more.add_folder(leads_to, claim);
      has_more = true;
    }
    if (has_more) image_->claims_ = std::move(more);
    return has_more;
  }

  void note_lost_links() {
    std::set<std::string> named;
    for (const WantedContent& wanted : wanted_) {
      const std::string path = image_->squash_->resolve(wanted.path);
      if (image_->squash_->has_content(path) || !named.insert(wanted.path).second) continue;
      lost_.push_back({GapKind::kMalformed, wanted.path,
                       "a hard link to a file that does not stand before it", ""});
    }
  }

  LayeredImageSource source_;
  const OpenOptions& options_;
  WorkCounts uncounted_;
  WorkCounts& work_;
  std::unique_ptr<LayeredImage> image_;
  std::vector<WantedContent> wanted_;
  std::vector<Gap> lost_;
  std::atomic<uint64_t> image_bytes_ = 0;
  std::optional<KeptBudget> budget_;  // Of the walk that is under way.
  std::mutex store_mutex_;
};

}  // namespace

Result<std::unique_ptr<Image>> read_layers(LayeredImageSource source, const OpenOptions& options) {
  return Reader(std::move(source), options).run();
}

}  // namespace vigil::image
