#!/bin/sh
# Makes an image for each Linux machine of the release, and one archive of all: sh packaging/image.sh VERSION
# goreleaser has put the programs into .build. None of them runs here: the image has no command to run while it is built.
set -eu
version=$1
revision=$(git rev-parse HEAD)
timestamp=$(git log -1 --format=%ct)
archive=dist/wolkvox_exporter-$version.oci.tar
image=wolkvox_exporter:$version

store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
buildah="buildah --root $store/images --runroot $store/run --storage-driver vfs"

for machine in linux/amd64:amd64 linux/arm64:arm64 linux/arm/v7:armv7; do
	$buildah build --quiet --isolation chroot --platform "${machine%:*}" --build-arg "ARCH=${machine#*:}" \
		--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --timestamp "$timestamp" \
		--manifest "$image" . >/dev/null
done
$buildah manifest push --quiet --all "$image" "oci-archive:$archive:$version"
echo "$archive: $(wc -c <"$archive") bytes"
