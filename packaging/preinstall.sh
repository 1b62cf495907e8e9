#!/bin/sh
# Creates the user before the files that belong to it are unpacked.
set -e
if ! getent group wolkvox_exporter >/dev/null; then
	groupadd --system wolkvox_exporter
fi
if ! getent passwd wolkvox_exporter >/dev/null; then
	useradd --system --gid wolkvox_exporter --home-dir /var/lib/wolkvox_exporter --no-create-home \
		--shell /usr/sbin/nologin --comment "wolkvox_exporter" wolkvox_exporter
fi
