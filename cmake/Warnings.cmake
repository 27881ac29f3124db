# Compilers newer than those that the tree was tried with warn of more: that does not stop a build.
set(tapline_werror "")
if(TAPLINE_WERROR AND ((CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 15)
                       OR (CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 20)))
  set(tapline_werror -Werror)
endif()

# tapline_flags: what every target of the project is compiled with. -Wno-enum-float-conversion: whole constants are anonymous enums here, and doubles
# are multiplied by them; clang 19 counts that among -Wextra. -Wcast-qual: tests make data sets of constant arrays, which nothing writes.
add_library(tapline_flags INTERFACE)
target_compile_options(tapline_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -fno-math-errno
                       $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:FOLDER>,tests>>:-Wcast-qual>
                       $<$<C_COMPILER_ID:Clang>:-Wno-enum-float-conversion>
                       ${tapline_werror})
target_compile_definitions(tapline_flags INTERFACE _GNU_SOURCE)
# GCC 12.2 for arm64 fails on loops that reduce floats by fmax or fmin of doubles ("internal compiler error: in vect_transform_reduction").
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tapline_flags INTERFACE -fno-builtin-fmax -fno-builtin-fmin)
endif()
if(TAPLINE_SANITIZE)
  target_compile_options(tapline_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tapline_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TAPLINE_FUZZ)
  target_compile_options(tapline_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
