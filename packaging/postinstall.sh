#!/bin/sh
# dpkg calls it with `configure` and the version before, rpm with the number of installed versions.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# Does nothing after a first installation: the service is started when it has a server and a token.
	# A configuration that the new version refuses must not fail the upgrade: the log of the service shows it.
	systemctl try-restart wolkvox_exporter.service || true
fi
case "$1 $2" in
"configure " | "1 ")
	echo "Set server and token in /etc/default/wolkvox_exporter, then run: systemctl enable --now wolkvox_exporter"
	;;
esac
