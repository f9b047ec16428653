#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs a command with a PostgreSQL server of its own, whose address is in TEST_DATABASE_URL.
# The server listens on a socket in a temporary folder only, and is gone afterwards. Debian: apt-get install postgresql.
set -euo pipefail

bin=$(command -v postgres >/dev/null && dirname "$(command -v postgres)" || ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo 'expected PostgreSQL to be installed (Debian: apt-get install postgresql)' >&2; exit 1; }

# PostgreSQL does not run as root.
as() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

folder=$(as mktemp -d)
trap 'as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder" && as "$bin/initdb" -D "$folder/data" -U postgres --auth=trust --no-sync >/dev/null && cd "$OLDPWD"
as "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" start \
  -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off" >/dev/null || { cat "$folder/log" >&2; exit 1; }
chmod 711 "$folder" # for a command that runs as somebody else

TEST_DATABASE_URL="postgres://postgres@/postgres?host=$folder" "$@"
