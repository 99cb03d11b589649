#include "sensor/runtime_state.h"

#include <gtest/gtest.h>

namespace vigil::sensor {
namespace {

const std::string kImage = std::string(64, 'a');

TEST(RuntimeState, WhatIsNoJsonIsAnErrorAndWhatIsForeignIsEmpty) {
  EXPECT_FALSE(parse_containers_storage("", "a1"));
  EXPECT_FALSE(parse_docker_config("{"));
  EXPECT_FALSE(parse_runc_state("[]"));
  EXPECT_EQ(parse_docker_config("{}").value(), RuntimeFacts{});
  EXPECT_EQ(parse_docker_config("[1]").value(), RuntimeFacts{});
  EXPECT_EQ(parse_runc_state(R"({"init_process_pid":-4,"config":{"labels":[1,"x"]}})").value(),
            RuntimeFacts{});
  EXPECT_EQ(parse_oci_config(R"({"annotations":[],"root":1})").value(), RuntimeFacts{});
  const std::string long_name(5000, 'n');
  EXPECT_EQ(parse_docker_config(R"({"Name":")" + long_name + R"("})").value(), RuntimeFacts{});
}

TEST(RuntimeState, ContainersStorage) {
  const std::string text = R"([{"id":"other"},{"id":"a1","names":["web","alias"],"image":")" +
                           kImage +
                           R"(","layer":"d7","metadata":"{\"image-name\":\"localhost/app:1\"}"}])";
  EXPECT_EQ(parse_containers_storage(text, "a1").value(),
            (RuntimeFacts{.name = "web",
                          .image = "localhost/app:1",
                          .image_digest = "sha256:" + kImage,
                          .storage_layer = "d7"}));
  const std::string pods =
      R"([{"id":"c1","names":["k8s_web_web-0_shop_f00d-1_0"],"metadata":"{\"metadata-name\":\"web\"}"},
          {"id":"c2","names":["k8s_POD_web-0_shop_f00d-1_0","k8s_web-0_shop_f00d-1_0"]},
          {"id":"c3","names":["k8s_web"]}])";
  EXPECT_EQ(parse_containers_storage(pods, "c1").value().name, "shop/web-0/web");
  EXPECT_EQ(parse_containers_storage(pods, "c2").value().name, "shop/web-0");
  EXPECT_EQ(parse_containers_storage(pods, "c3").value().name, "k8s_web");
  EXPECT_EQ(parse_containers_storage(text, "a2").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(parse_image_name(R"([{"id":"b2","names":["app:1"]},{"id":"b3"}])", "b2").value(),
            "app:1");
  EXPECT_EQ(parse_image_name(R"([{"id":"b3"}])", "b3").value(), "");
}

TEST(RuntimeState, Docker) {
  EXPECT_EQ(
      parse_docker_config(R"({"Name":"/web","Image":"sha256:)" + kImage +
                          R"(","Config":{"Image":"app:1"},
                                   "State":{"Pid":7}})")
          .value(),
      (RuntimeFacts{
          .name = "web", .image = "app:1", .image_digest = "sha256:" + kImage, .init_pid = 7}));
}

TEST(RuntimeState, DockerForAKubelet) {
  EXPECT_EQ(parse_docker_config(R"({"Name":"/k8s_web_web-0_shop_f00d-1_0"})").value().name,
            "shop/web-0/web");
}

TEST(RuntimeState, RuncTellsWhatKubernetesNoted) {
  EXPECT_EQ(
      parse_runc_state(
          R"({"init_process_pid":7,       "config":{"rootfs":"/b/rootfs","labels":["bundle=/b","io.kubernetes.cri.image-name=app:1",
      "io.kubernetes.cri.container-name=web","io.kubernetes.cri.sandbox-name=pod",
      "io.kubernetes.cri.sandbox-namespace=shop"]}})")
          .value(),
      (RuntimeFacts{
          .name = "shop/pod/web", .image = "app:1", .root_folder = "/b/rootfs", .init_pid = 7}));
}

TEST(RuntimeState, AnOciConfigOfCrio) {
  EXPECT_EQ(parse_oci_config(R"({"annotations":{"io.kubernetes.cri-o.ImageName":"app:1",
      "io.kubernetes.pod.name":"p","io.kubernetes.pod.namespace":"n",
      "io.kubernetes.container.name":"c"},"root":{"path":"rootfs"}})")
                .value(),
            (RuntimeFacts{.name = "n/p/c", .image = "app:1", .root_folder = "rootfs"}));
}

TEST(RuntimeState, WhatIsKnownStays) {
  RuntimeFacts facts = {.name = "web", .init_pid = 3};
  add_missing(facts, {.name = "other", .image = "app:1", .init_pid = 4});
  EXPECT_EQ(facts, (RuntimeFacts{.name = "web", .image = "app:1", .init_pid = 3}));
}

}  // namespace
}  // namespace vigil::sensor
