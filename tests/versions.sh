#!/bin/sh
# Compares the version of the project with those of the header, the citation, the Debian packages and the documents, and the dates of the
# manual pages with each other.
#
# usage: versions.sh SOURCE VERSION
set -eu
source=$1 version=$2 failed=0

compare() { # FILE FOUND [EXPECTED]
    [ "$2" = "${3:-$version}" ] || { echo "$1 has \"$2\"; expected \"${3:-$version}\""; failed=1; }
}

header=$(sed -n 's/^#define TL_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$source/include/tapline/base.h" | paste -sd .)
compare include/tapline/base.h "$header"
compare CITATION.cff "$(sed -n 's/^version: //p' "$source/CITATION.cff")"
compare debian/changelog "$(sed -n '1s/^tapline (\(.*\)-[0-9]*).*/\1/p' "$source/debian/changelog")"
compare docs/guide.md "$(sed -n 's|.*makes the package .tapline/\([0-9.]*\).*|\1|p' "$source/docs/guide.md")"
for file in README.md tests/install/CMakeLists.txt tests/install/cplusplus/CMakeLists.txt; do
    compare "$file" "$(sed -n 's/.*find_package(tapline \([0-9.]*\) .*/\1/p' "$source/$file")" "${version%.*}"
done
date=$(sed -n 's/.*page_date\[\] = "\(.*\)";/\1/p' "$source/src/cli/help/man.c")
for file in "$source"/docs/man/*; do compare "$file" "$(sed -n "s/^\.Dd //p" "$file")" "$date"; done
exit $failed
