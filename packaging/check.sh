#!/bin/sh
# Checks what can be checked of the packaging here, and says what cannot.
set -eu
cd "$(dirname "$0")"

# Above this, systemd-analyze itself speaks of "OK"; below 2.0 of "SAFE".
LIMIT=20

status=0
if command -v systemd-analyze >/dev/null; then
	# `verify` wants the program to be there: one that is there takes its place.
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	sed 's#^ExecStart=/usr/bin/ringtrue#ExecStart=/bin/true#' systemd/ringtrue-endpoint.service \
		>"$work/ringtrue-endpoint.service"
	systemd-analyze verify --man=no "$work/ringtrue-endpoint.service" || status=1
	systemd-analyze security --offline=yes --threshold="$LIMIT" --no-pager \
		"$work/ringtrue-endpoint.service" >"$work/report" || status=1
	tail -n 1 "$work/report"
else
	echo "skipped: systemd-analyze is not installed"
fi

sh -n openwrt/files/ringtrue.init || status=1
sh -n check.sh || status=1
sh -n memory.sh || status=1
if command -v shellcheck >/dev/null; then
	# rc.common runs it with OpenWrt's ash, which has `local`.
	shellcheck --shell=dash openwrt/files/ringtrue.init || status=1
	shellcheck check.sh memory.sh || status=1
else
	echo "skipped: shellcheck is not installed"
fi
[ "$status" -eq 0 ] && echo "packaging: well"
exit "$status"
