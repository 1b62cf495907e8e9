#!/bin/sh
# `apt purge` also removes the state, the tokens and the user. `apt remove` and rpm keep them.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/wolkvox_exporter /etc/wolkvox_exporter
	if getent passwd wolkvox_exporter >/dev/null; then
		userdel wolkvox_exporter
	fi
	if getent group wolkvox_exporter >/dev/null; then
		groupdel wolkvox_exporter
	fi
fi
