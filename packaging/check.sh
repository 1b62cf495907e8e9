#!/usr/bin/env bash
# Installs, upgrades and purges the packages in dist in a fresh Debian of their own: bash packaging/check.sh
# It must be root, on Debian, with debootstrap and rpm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A mount and process namespace of its own: whatever is left over ends with it.
if [[ ${1-} != inside ]]; then
	exec unshare --mount --pid --fork --kill-child bash "$0" inside
fi

debian=$PWD/.cache/bookworm
work=$(mktemp -d)
root=$work/root
# The mounts end with the namespace. Only what is on the disk is removed.
trap 'cd / && umount -R -q "$root" "$work/layer" || true; rm -rf --one-file-system "$work"' EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# want WHAT HAVE WANT
want() {
	[[ $2 == "$3" ]] || fail "$1: have"$'\n'"$2"$'\n'"want"$'\n'"$3"
}

inside() { chroot "$root" "$@"; }

# fresh mounts a fresh Debian with systemd at $root. What is written stays in memory.
fresh() {
	if [[ ! -e $debian/complete ]]; then
		rm -rf "$debian"
		mkdir -p .cache
		debootstrap --variant=minbase --include=systemd,procps bookworm "$debian" >"$work/debootstrap.log" 2>&1 || fail "$(tail "$work/debootstrap.log")"
		touch "$debian/complete"
	fi
	if mountpoint -q "$root"; then
		umount -R "$root"
		rm -rf "$work"/layer/*
	else
		mkdir -p "$work/layer" "$root"
		mount -t tmpfs none "$work/layer"
	fi
	mkdir -p "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o "lowerdir=$debian,upperdir=$work/layer/upper,workdir=$work/layer/work" overlay "$root"
	mount -t proc proc "$root/proc"
}

files() { inside find / -xdev -not -path '/proc*' -not -path '/run/*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/lib/rpm*' | sort; }

# Mode, owner and group of what is not root's alone, or secret.
paths() {
	inside stat -c '%A %U %G %n' /usr/bin/wolkvox_exporter /usr/lib/systemd/system/wolkvox_exporter.service \
		/etc/default/wolkvox_exporter /etc/wolkvox_exporter /var/lib/wolkvox_exporter
}

wanted_paths='-rwxr-xr-x root root /usr/bin/wolkvox_exporter
-rw-r--r-- root root /usr/lib/systemd/system/wolkvox_exporter.service
-rw-r----- root root /etc/default/wolkvox_exporter
drwxr-x--- root wolkvox_exporter /etc/wolkvox_exporter
drwx------ wolkvox_exporter wolkvox_exporter /var/lib/wolkvox_exporter'

# service becomes the unit's command, as its user, with the variables of its file, as systemd would run it.
service() {
	local unit=/usr/lib/systemd/system/wolkvox_exporter.service
	exec chroot "$root" env -i PATH=/usr/bin:/bin STATE_DIRECTORY=/var/lib/wolkvox_exporter unit="$unit" bash -ec '
		set -a
		. "$(sed -n "s/^EnvironmentFile=//p" $unit)"
		set +a
		user=$(sed -n "s/^User=//p" $unit)
		command=$(sed -n "s/^ExecStart=//p" $unit)
		eval "exec setpriv --reuid=$user --regid=$user --init-groups $command"'
}

# chats runs the service for its metrics, and prints the number of chats.
chats() {
	service >"$work/service.log" 2>&1 &
	local pid=$! count=0 deadline=$((SECONDS + 30))
	until count=$(curl -fs "http://127.0.0.1:$port/metrics" | awk '/^wolkvox_chat_interactions_total/ {n += $NF} END {print n + 0}') && ((count > ${1:-0})); do
		((SECONDS < deadline)) || fail "no chats beyond ${1:-0} within 30s: $(cat "$work/service.log")"
		sleep 0.2
	done
	kill "$pid"
	wait "$pid" || fail "the service ended with status $?: $(cat "$work/service.log")"
	echo "$count"
}

package=$(ls dist/*_amd64.deb)
port=$(shuf -i 20000-29999 -n 1)
fresh
files >"$work/before"
cp "$package" "$root/package.deb"

echo "== install $(basename "$package")"
inside dpkg -i /package.deb
inside dpkg -L wolkvox-exporter | sed -n 's/^./  &/p'
paths
want "paths" "$(paths)" "$wanted_paths"
inside getent passwd wolkvox_exporter
want "shell" "$(inside getent passwd wolkvox_exporter | cut -d: -f7)" /usr/sbin/nologin
inside wolkvox_exporter --version 2>&1 | sed -n 1p
[[ $(inside wolkvox_exporter --version 2>&1) == *"version $(cat VERSION)-snapshot"* ]] || fail "the version is another one"
echo "== systemd-analyze verify"
want "systemd-analyze verify" "$(inside systemd-analyze verify wolkvox_exporter.service 2>&1)" ""

echo "== without a server"
if (service) >"$work/service.log" 2>&1; then
	fail "the service runs without a server"
fi
cat "$work/service.log"

echo "== configure and run"
sed -i "s|^ARGS=.*|ARGS=\"demo --web.listen-address=127.0.0.1:$port\"|; s|^#WOLKVOX_SERVER|WOLKVOX_SERVER|" "$root/etc/default/wolkvox_exporter"
echo a-token | inside install -m 640 -g wolkvox_exporter /dev/stdin /etc/wolkvox_exporter/token
configuration=$(cat "$root/etc/default/wolkvox_exporter")
counted=$(chats)
inside ls -lA /var/lib/wolkvox_exporter
echo "chats: $counted"

echo "== upgrade to a version with another /etc/default/wolkvox_exporter"
dpkg-deb -R "$package" "$work/newer"
sed -i 's/^Version: .*/Version: 9.0.0/' "$work/newer/DEBIAN/control"
echo '# A newer default.' >>"$work/newer/etc/default/wolkvox_exporter"
dpkg-deb -b "$work/newer" "$root/newer.deb" >/dev/null
user=$(inside id wolkvox_exporter)
state=$(inside sha256sum /var/lib/wolkvox_exporter/demo.state)
inside dpkg --force-confdef --force-confold -i /newer.deb
want "the user" "$(inside id wolkvox_exporter)" "$user"
want "paths" "$(paths)" "$wanted_paths"
want "the configuration" "$(cat "$root/etc/default/wolkvox_exporter")" "$configuration"
want "the token" "$(cat "$root/etc/wolkvox_exporter/token")" a-token
want "the state" "$(inside sha256sum /var/lib/wolkvox_exporter/demo.state)" "$state"
after=$(chats "$((counted - 1))")
echo "chats: $after, the configuration, the token and the state are kept"

echo "== remove"
inside dpkg -r wolkvox-exporter
[[ ! -e $root/usr/bin/wolkvox_exporter ]] || fail "the program is still there"
want "the token" "$(cat "$root/etc/wolkvox_exporter/token")" a-token
[[ -n $(ls "$root/var/lib/wolkvox_exporter") ]] || fail "the state is gone"
echo "the configuration, the token and the state are kept"

echo "== purge"
inside dpkg -P wolkvox-exporter
rm "$root/package.deb" "$root/newer.deb"
files >"$work/after"
# The user's tools keep backups of their files.
want "files after the purge" "$(diff "$work/before" "$work/after" | grep -v '^[0-9]' | grep -v ' /etc/\(passwd\|shadow\|group\|gshadow\|subuid\|subgid\)-$' || true)" ""
if inside getent passwd wolkvox_exporter || inside getent group wolkvox_exporter; then
	fail "the user is still there"
fi
echo "no file and no user is left"

package=$(ls dist/*.x86_64.rpm)
fresh
# Debian has the program useradd, but not as a package of rpm.
rpm=(rpm --root "$root" --nodeps)
echo "== rpm: install $(basename "$package")"
"${rpm[@]}" -i "$package"
want "paths" "$(paths)" "$wanted_paths"
want "systemd-analyze verify" "$(inside systemd-analyze verify wolkvox_exporter.service 2>&1)" ""
sed -i "s|^ARGS=.*|ARGS=\"demo --web.listen-address=127.0.0.1:$port\"|; s|^#WOLKVOX_SERVER|WOLKVOX_SERVER|" "$root/etc/default/wolkvox_exporter"
echo a-token | inside install -m 640 -g wolkvox_exporter /dev/stdin /etc/wolkvox_exporter/token
configuration=$(cat "$root/etc/default/wolkvox_exporter")
counted=$(chats)
echo "== rpm: upgrade"
"${rpm[@]}" -U --force "$package"
want "the configuration" "$(cat "$root/etc/default/wolkvox_exporter")" "$configuration"
echo "chats: $counted, then $(chats "$((counted - 1))")"
echo "== rpm: remove"
"${rpm[@]}" -e wolkvox-exporter
[[ ! -e $root/usr/bin/wolkvox_exporter ]] || fail "the program is still there"
want "the changed configuration" "$(cat "$root/etc/default/wolkvox_exporter.rpmsave")" "$configuration"
[[ -n $(ls "$root/var/lib/wolkvox_exporter") ]] || fail "the state is gone"
echo "== passed in ${SECONDS}s"
