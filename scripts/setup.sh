#!/bin/sh
# Installs what the demo and the tests need and this machine lacks, by apt-get: PostgreSQL, Chromium and a Chinese font.
set -eu

have_postgres() { command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
have_chinese() { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh 2>/dev/null | head -n 1)" ]; }

want=""
have_postgres || want="$want postgresql"
have_chromium || want="$want chromium"
have_chinese || want="$want fontconfig fonts-wqy-microhei"
command -v gcc >/dev/null 2>&1 || want="$want gcc libc6-dev"
[ -n "$want" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "Please install:$want" >&2
	exit 1
fi
run=""
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		run="sudo"
	else
		echo "Please install first (as root): apt-get install -y --no-install-recommends$want" >&2
		exit 1
	fi
fi
echo "installing:$want"
export DEBIAN_FRONTEND=noninteractive
# Debian would start a cluster of its own, which nongxun does not need: it runs its private server.
$run mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | $run tee /etc/postgresql-common/createcluster.conf >/dev/null
$run apt-get update -qq
# shellcheck disable=SC2086
$run apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold $want >/dev/null
