#!/bin/sh
# debian.sh FOLDER: unpacks Prometheus, promtool, systemd-analyze, PostgreSQL and PgBouncer of Debian's packages into FOLDER.
# It needs apt-get and dpkg, but no root, and installs nothing. It never fails: tests skip a program that is not there.
set -u
mkdir -p "$1" && cd "$1" || exit 0

complete() {
	[ -x usr/bin/prometheus ] && [ -x usr/bin/promtool ] && [ -x systemd-analyze ] && [ -x initdb ] && [ -x pg_ctl ] && [ -x pgbouncer ]
}

skipped() {
	echo "no Prometheus, systemd-analyze, PostgreSQL or PgBouncer ($1): tests that need them are skipped"
	exit 0
}

# apt_get keeps apt's lists here: a fresh container has none, and only root can fetch the system's.
apt_get() {
	timeout 120 apt-get -qq -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
		-o Acquire::https::Timeout=20 -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" "$@" >>apt.log 2>&1
}

complete && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || skipped "no apt-get to fetch them with"
echo "fetching Prometheus, systemd-analyze, PostgreSQL and PgBouncer into $1"
rm -rf apt apt.log unpacked && mkdir -p apt/lists/partial apt/archives/partial unpacked
apt_get update || skipped "apt-get update: $(tail -n 1 apt.log)"
# The libraries are those that a small image lacks, as far as this release of Debian has them under these names.
postgresql=$(apt-cache -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" depends postgresql 2>>apt.log | sed -n 's/.*Depends: //p')
for package in prometheus systemd libsystemd-shared libapparmor1 libip4tc2 libkmod2 libssl3 \
	$postgresql libpq5 libicu72 libldap-2.5-0 libsasl2-2 liblz4-1 libxml2 pgbouncer libc-ares2 libevent-2.1-7; do
	apt_get download "$package" && dpkg -x "$package"_*.deb unpacked
done
rm -rf apt ./*.deb usr lib etc var bin sbin
mv unpacked/* .
rmdir unpacked

# The programs find their libraries, and systemd-analyze the units that ours refers to, beside themselves.
libraries=$(find . \( -name '*.so' -o -name '*.so.*' \) -exec dirname {} + | sort -u | sed 's|^\.|$here|' | paste -s -d : -)
# wrap FILE [ASSIGNMENT]: a script with its name runs FILE. It is removed if the program does not work.
wrap() {
	cat >"${1##*/}" <<EOF
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
export LD_LIBRARY_PATH="$libraries" ${2-}
exec "\$here/$1" "\$@"
EOF
	chmod +x "${1##*/}"
	"./${1##*/}" --version >>apt.log 2>&1 || rm "${1##*/}"
}
wrap usr/bin/systemd-analyze 'SYSTEMD_UNIT_PATH="$here/lib/systemd/system:$here/usr/lib/systemd/system:"'
wrap usr/sbin/pgbouncer
for file in usr/lib/postgresql/*/bin/initdb usr/lib/postgresql/*/bin/pg_ctl; do
	wrap "$file"
done
complete || skipped "$(tail -n 1 apt.log)"
