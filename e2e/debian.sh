#!/bin/sh
# debian.sh FOLDER: unpacks Debian's Prometheus and Alertmanager there, where they are not installed.
# No root, no service. It never fails: the tests that need them are skipped then, and say so.
set -u
folder=$1

packages=
for pair in prometheus:prometheus promtool:prometheus \
	prometheus-alertmanager:prometheus-alertmanager amtool:prometheus-alertmanager; do
	program=${pair%:*} package=${pair#*:}
	command -v "$program" >/dev/null || [ -x "$folder/usr/bin/$program" ] && continue
	case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
done
[ -n "$packages" ] || exit 0

skipped() {
	echo "not there:$packages, and $1: tests that need them are skipped"
	exit 0
}

command -v apt-get >/dev/null && command -v dpkg >/dev/null || skipped "no apt-get to fetch them with"
mkdir -p "$folder" && cd "$folder" || skipped "no folder for them"
echo "fetching$packages into $folder"
# shellcheck disable=SC2086 # Several words are several packages.
timeout 120 apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
	download $packages >apt.log 2>&1 || skipped "apt-get download failed ($(tail -n 1 apt.log))"
for package in *.deb; do
	dpkg -x "$package" . || skipped "$package cannot be unpacked"
	rm -f "$package"
done
