#!/usr/bin/env bash
# Build the release twice, in folders, at times and under locales of their own: the bytes must be the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

# build FOLDER VARIABLE=VALUE...: from what git knows, so that nothing left over in the tree takes part.
build() {
	local folder=$work/$1
	shift
	mkdir -p "$folder/source"
	git archive HEAD | tar -x -C "$folder/source"
	env "$@" cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >/dev/null
	env "$@" cmake --build "$folder/build" --target gridlane -- --quiet >/dev/null
}

build one LC_ALL=C TZ=UTC
build another-and-longer/folder LC_ALL=C.UTF-8 TZ=Asia/Kolkata
one=$work/one/build/runner/gridlane
another=$work/another-and-longer/folder/build/runner/gridlane
sha256sum "$one" "$another" | sed "s#$work/##"
cmp "$one" "$another" && echo 'the same bytes'
