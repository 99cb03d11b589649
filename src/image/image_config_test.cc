#include "image/image_config.h"

#include <gtest/gtest.h>

namespace vigil::image {
namespace {

Platform platform(const std::string& text) {
  return read_platform(text).value();
}

TEST(Platform, ArmIsV7UnlessItIsNamed) {
  EXPECT_EQ(to_string(platform("linux/arm")), "linux/arm/v7");
  EXPECT_EQ(to_string(platform("arm")), "linux/arm/v7");
  EXPECT_EQ(to_string(platform("linux/armhf")), "linux/arm/v7");
  EXPECT_EQ(to_string(platform("linux/arm/6")), "linux/arm/v6");
  EXPECT_EQ(to_string(platform("linux/arm64")), "linux/arm64");
  EXPECT_FALSE(read_platform("linux//v7"));
}

TEST(Platform, TheBestFitIsTaken) {
  struct Case {
    Platform offered;
    std::string wanted;
    int fitness;
  };
  const Case cases[] = {
      {{"linux", "arm", "v7"}, "linux/arm", 10},
      {{"linux", "arm", ""}, "linux/arm", 10},
      {{"linux", "arm", "v6"}, "linux/arm", 6},
      {{"linux", "arm", "v5"}, "linux/arm/v7", 5},
      {{"linux", "arm", "v8"}, "linux/arm", 0},
      {{"linux", "arm", "v7"}, "linux/arm/v6", 0},
      {{"linux", "arm64", "v8"}, "linux/arm64", 10},
      {{"linux", "arm64", "v9"}, "linux/arm64", 1},
      {{"linux", "arm64", ""}, "linux/arm64/v8", 10},
      {{"linux", "amd64", "v3"}, "linux/amd64/v2", 0},
      {{"linux", "arm", "v7"}, "linux/arm64", 0},
      {{"windows", "amd64", ""}, "linux/amd64", 0},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(fitness(one.offered, platform(one.wanted)), one.fitness)
        << to_string(one.offered) << " for " << one.wanted;
  }
}

}  // namespace
}  // namespace vigil::image
