# For scripts that make images of Debian: sourced by them, in a folder where `oci` is umoci's layout
# and `bundle` an unpacked image in it. Takes $root, the absolute path of bundle/rootfs.

eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "${proxy:-}" ] || export http_proxy=$proxy

new_bundle() {
  umoci init --layout oci
  umoci new --image oci:empty
  umoci unpack --image oci:empty bundle
  rmdir bundle/rootfs
}
# Some packages' scripts need /proc.
inside() {
  unshare --mount --pid --fork --mount-proc="$root/proc" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy=$http_proxy} chroot "$root" "$@"
}
clean_apt() {
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
}
# dpkg knows a package from the moment it is unpacked; what is left of a removed one is no package.
installed() {
  inside dpkg-query -W -f '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${binary:Package}\n' |
    sed -n 's/^installed\t//p' | sort
}
# layer TAG HOW: what changed in the bundle, as one more layer.
layer() {
  umoci repack --image "oci:$1" --refresh-bundle --history.created_by "$2" \
    --history.created 2020-01-01T00:00:00Z bundle
}
