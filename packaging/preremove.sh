#!/bin/sh
# Stops the service for good, but not during an upgrade. dpkg calls it with a word, rpm with the number of versions that stay.
set -e
case $1 in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now wolkvox_exporter.service
	fi
	;;
esac
