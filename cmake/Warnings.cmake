# tapline_flags: what every target of the project is compiled with.
add_library(tapline_flags INTERFACE)
target_compile_options(tapline_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -fno-math-errno
                       $<$<BOOL:${TAPLINE_WERROR}>:-Werror>)
target_compile_definitions(tapline_flags INTERFACE _GNU_SOURCE)
if(TAPLINE_SANITIZE)
  target_compile_options(tapline_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tapline_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TAPLINE_FUZZ)
  target_compile_options(tapline_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
