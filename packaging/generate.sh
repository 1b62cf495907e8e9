#!/bin/sh
# Makes the files of a release that are not checked in: sh packaging/generate.sh VERSION
set -eu
version=$1
release=.build/release
rm -rf "$release"
mkdir -p "$release/completions" "$release/upload"

# The program of this machine, whatever the release is built for.
program=$release/wolkvox_exporter
GOOS='' GOARCH='' CGO_ENABLED=0 go build -buildvcs=false -o "$program" .

# kingpin writes the text of --version, which has several lines, into the title, and no description of the name.
title=".TH WOLKVOX_EXPORTER 1 \"\" \"wolkvox_exporter $version\""
name='wolkvox_exporter \\- Prometheus exporter for the chats of a wolkvox contact centre'
"$program" --help-man | sed -e "1,/^\.SH \"NAME\"/c\\
$title\\
.SH \"NAME\"" -e "s/^wolkvox_exporter\$/$name/" >"$release/wolkvox_exporter.1"

"$program" --completion-script-bash >"$release/completions/wolkvox_exporter.bash"
# zsh requires the first line to have the name of the command.
"$program" --completion-script-zsh | sed '/./,$!d' >"$release/completions/_wolkvox_exporter"

gzip -9n <"$release/wolkvox_exporter.1" >"$release/wolkvox_exporter.1.gz"
gzip -9n <CHANGELOG.md >"$release/changelog.gz"

# The chart as `helm package` makes it, with the time of the commit.
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C charts -c wolkvox-exporter |
	gzip -9n >"$release/upload/wolkvox-exporter-$(cat VERSION).tgz"

# The dashboards as grafana.com takes them.
GOOS='' GOARCH='' go run -buildvcs=false ./dashboards/generate "$release/upload"
