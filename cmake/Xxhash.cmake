# tapline::xxhash: the header alone, whose functions are compiled in; programs need nothing of it.
find_package(PkgConfig REQUIRED)
pkg_check_modules(TAPLINE_XXHASH REQUIRED libxxhash>=0.8)
add_library(tapline::xxhash INTERFACE IMPORTED GLOBAL)
target_include_directories(tapline::xxhash INTERFACE ${TAPLINE_XXHASH_INCLUDE_DIRS})
