#!/bin/sh
# Compares the version of the project with those of the header, the citation and the Debian packages.
#
# usage: versions.sh SOURCE VERSION
set -eu
source=$1 version=$2 failed=0

compare() { # FILE VERSION
    [ "$2" = "$version" ] || { echo "$1 has version \"$2\"; CMakeLists.txt has \"$version\""; failed=1; }
}

header=$(sed -n 's/^#define TL_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$source/include/tapline/base.h" | paste -sd .)
compare include/tapline/base.h "$header"
compare CITATION.cff "$(sed -n 's/^version: //p' "$source/CITATION.cff")"
compare debian/changelog "$(sed -n '1s/^tapline (\(.*\)-[0-9]*).*/\1/p' "$source/debian/changelog")"
exit $failed
