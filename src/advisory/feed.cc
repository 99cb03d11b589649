#include "advisory/feed.h"

namespace vigil::advisory {

#define VIGIL_FEED(symbol) extern const Feed symbol##_feed;
#include "advisory/feeds.def"
#undef VIGIL_FEED

namespace {

const Feed* const kFeeds[] = {
#define VIGIL_FEED(symbol) &symbol##_feed,
#include "advisory/feeds.def"
#undef VIGIL_FEED
};

}  // namespace

std::span<const Feed* const> all_feeds() {
  return kFeeds;
}

}  // namespace vigil::advisory
