#!/usr/bin/env sh
# Writes the passwords that docker-compose.yml needs into .env, which Compose reads and only its user may read.
# Each is random, or taken from the environment. What is in the file already stays: run it again after an upgrade.
#
#   infra/docker/make-secrets.sh [FILE]
set -eu
umask 077
file=${1:-$(dirname "$0")/../../.env}
touch "$file"
for name in POSTGRES_PASSWORD DATABASE_OWNER_PASSWORD DATABASE_PASSWORD REGISTRY_DATABASE_PASSWORD \
  KAFKA_PASSWORD SIMULATED_GATEWAY_WEBHOOK_SECRET GRAFANA_PASSWORD; do
  grep -q "^$name=" "$file" && continue
  eval "given=\${$name:-}"
  # Hexadecimal digits need no escape in SQL, URLs and Kafka's settings.
  random=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  echo "$name=${given:-$random}" >>"$file"
  echo "$name written to $file"
done
