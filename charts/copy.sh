#!/bin/sh
# Copies the rules and dashboards into the chart, as a package of a chart takes no file from outside its folder.
set -eu
cd "$(dirname "$0")/.."
files=charts/wolkvox-exporter/files
rm -rf "$files"
mkdir -p "$files"
cp rules/wolkvox.rules.yml rules/wolkvox.days.rules.yml rules/wolkvox.alerts.yml dashboards/*.json "$files"
