#!/bin/sh
# Installs what this machine lacks: PostgreSQL, Chromium and a Chinese font by apt-get, which the demo and the tests need; for the tests
# ("setup.sh tests") also the programs of others that the carrier lines are tested with (Kannel, tshark, the npm package smpp).
# Without the latter their tests are skipped.
set -eu
cd "$(dirname "$0")/.."

have_postgres() { command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
have_chinese() { command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list :lang=zh 2>/dev/null | head -n 1)" ]; }
have_kannel() { command -v bearerbox >/dev/null 2>&1 || [ -x /usr/sbin/bearerbox ]; }

want=""
have_postgres || want="$want postgresql"
have_chromium || want="$want chromium"
have_chinese || want="$want fontconfig fonts-wqy-microhei"
command -v gcc >/dev/null 2>&1 || want="$want gcc libc6-dev"
peers=""
have_kannel || peers="$peers kannel"
command -v tshark >/dev/null 2>&1 || peers="$peers tshark"
command -v npm >/dev/null 2>&1 || peers="$peers nodejs npm"

# install PACKAGES… by apt-get.
install() {
	# Debian would start a cluster of its own, which nongxun does not need: it runs its private server.
	$run mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | $run tee /etc/postgresql-common/createcluster.conf >/dev/null
	$run apt-get update -qq
	$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >/dev/null
}

run=""
can=yes
if ! command -v apt-get >/dev/null 2>&1; then
	can=no
elif [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		run="sudo"
	else
		can=no
	fi
fi
if [ -n "$want" ]; then
	if [ $can = no ]; then
		echo "Please install first (as root): apt-get install -y --no-install-recommends$want" >&2
		exit 1
	fi
	echo "installing:$want"
	# shellcheck disable=SC2086
	install $want
fi
[ "${1:-}" = tests ] || exit 0
if [ -n "$peers" ]; then
	echo "installing for the tests of carrier lines:$peers"
	# shellcheck disable=SC2086
	if [ $can = no ] || ! install $peers; then
		echo "NOT INSTALLED, the tests that need them are skipped: apt-get install -y --no-install-recommends$peers" >&2
	fi
fi
smsc=sms/smpp/testdata/smsc
if [ ! -d $smsc/node_modules/smpp ] && command -v npm >/dev/null 2>&1; then
	(cd $smsc && npm install --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null) ||
		echo "NOT INSTALLED, the tests that need it are skipped: npm install smpp@0.5.1 in $smsc" >&2
fi
