# Tests of what surrounds the code: headers, symbols, dependencies, installation, documents, examples.

# Each public header by itself, in C and C++ and both precisions. Building them is the test.
include(CheckLanguage)
check_language(CXX)
set(header_languages c)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  list(APPEND header_languages cpp)
endif()
file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/tapline/*.h)
foreach(library tapline tapline_f64)
  foreach(language IN LISTS header_languages)
    set(sources "")
    foreach(header IN LISTS headers)
      get_filename_component(name ${header} NAME_WE)
      set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.${language})
      file(CONFIGURE OUTPUT ${source} CONTENT "#include <${header}>\n#include <${header}>\n")
      list(APPEND sources ${source})
    endforeach()
    add_library(${library}_headers_${language} OBJECT ${sources})
    target_link_libraries(${library}_headers_${language} PRIVATE tapline::${library})
    target_compile_options(${library}_headers_${language} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Werror)
  endforeach()
  if(CMAKE_CXX_COMPILER)
    add_executable(cplusplus_${library} cplusplus/consumer.cpp)
    target_link_libraries(cplusplus_${library} PRIVATE tapline::${library})
    target_compile_options(cplusplus_${library} PRIVATE -Wall -Wextra -Wpedantic -Werror)
    if(TAPLINE_SANITIZE)
      target_link_options(cplusplus_${library} PRIVATE -fsanitize=address,undefined)
    endif()
    add_test(NAME cplusplus_${library} COMMAND cplusplus_${library})
  endif()
endforeach()

file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/layering.objects CONTENT "$<JOIN:$<TARGET_OBJECTS:tapline_objects>;$<TARGET_OBJECTS:tapline_baseline>,\n>\n")
add_test(NAME layering
         COMMAND layering/run.sh ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/layering.work ${CMAKE_NM} ${CMAKE_CURRENT_BINARY_DIR}/layering.objects
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME symbols
         COMMAND symbols/run.sh ${CMAKE_NM} ${CMAKE_CURRENT_BINARY_DIR}/symbols.work $<BOOL:${TAPLINE_SANITIZE}>
                 $<TARGET_FILE:tapline_shared> $<TARGET_FILE:tapline_static> $<TARGET_FILE:tapline_f64_shared> $<TARGET_FILE:tapline_f64_static>
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME used COMMAND used/run.sh ${PROJECT_SOURCE_DIR} ${CMAKE_NM} $<TARGET_FILE:tapline_shared> ${CMAKE_CURRENT_BINARY_DIR}/used.work
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME versions COMMAND ./versions.sh ${PROJECT_SOURCE_DIR} ${PROJECT_VERSION} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
set(program_flags "")
if(TAPLINE_SANITIZE)
  set(program_flags "-fsanitize=address,undefined")
endif()
add_test(NAME install
         COMMAND install/run.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} ${CMAKE_INSTALL_LIBDIR} ${CMAKE_COMMAND} ${CMAKE_C_COMPILER} "${program_flags}"
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
if(TAPLINE_COMMAND)
  add_test(NAME docs
           COMMAND docs/run.sh ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/docs.work $<TARGET_FILE:tapline_command> ${CMAKE_C_COMPILER}
                   "${program_flags} -I${PROJECT_SOURCE_DIR}/include $<TARGET_FILE:tapline_shared> -Wl,-rpath,${PROJECT_BINARY_DIR}"
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(docs PROPERTIES COST 100) # The longest test starts first, so that it does not run alone at the end.
endif()
if(TARGET tapline_pages)
  add_test(NAME manual COMMAND manual/run.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/pages ${CMAKE_CURRENT_BINARY_DIR}/manual.work
           ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:tapline_command> WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT CMAKE_CROSSCOMPILING) # shells start the command themselves
    add_test(NAME completion COMMAND completion/run.sh $<TARGET_FILE:tapline_command> ${CMAKE_CURRENT_BINARY_DIR}/completion.work
             WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
endif()

# A program of an earlier version with the library of today, and the files of earlier versions.
if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/abi/include AND NOT TAPLINE_SANITIZE)
  foreach(library tapline tapline_f64)
    add_test(NAME abi_${library} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/abi/run.sh ${CMAKE_C_COMPILER} "" ${CMAKE_CURRENT_SOURCE_DIR}/abi/include $<TARGET_FILE:${library}_shared>
             ${CMAKE_CURRENT_BINARY_DIR}/abi_${library}.work WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/abi)
    set_tests_properties(abi_${library} PROPERTIES ENVIRONMENT "EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}")
  endforeach()
  add_test(NAME abi_grown CONFIGURATIONS Slow COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/abi/grown.sh ${CMAKE_COMMAND} ${CMAKE_C_COMPILER} ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/abi/include
           ${CMAKE_CURRENT_BINARY_DIR}/abi_grown.work WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/abi)
  set_tests_properties(abi_grown PROPERTIES LABELS slow)
endif()
if(TAPLINE_COMMAND)
  add_test(NAME kept_files COMMAND ./run.sh $<TARGET_FILE:tapline_command> ${CMAKE_CURRENT_BINARY_DIR}/kept.work WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/kept)
  set_tests_properties(kept_files PROPERTIES ENVIRONMENT "EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}")
endif()

foreach(example IN LISTS tapline_examples)
  add_test(NAME example_${example} COMMAND example_${example})
endforeach()
if(TAPLINE_EXAMPLES)
  add_test(NAME example_settings_misspelt COMMAND example_settings optimiser=adam)
  set_tests_properties(example_settings_misspelt PROPERTIES PASS_REGULAR_EXPRESSION "optimiser is unknown; did you mean optimizer")
endif()

# The archive of CPack, unpacked elsewhere.
if(TAPLINE_COMMAND)
  add_test(NAME archive CONFIGURATIONS Slow COMMAND install/archive.sh ${CMAKE_CPACK_COMMAND} ${PROJECT_BINARY_DIR} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(archive PROPERTIES LABELS slow)
endif()

add_test(NAME subdirectory CONFIGURATIONS Slow
         COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/install ${PROJECT_BINARY_DIR}/subdirectory --build-generator Ninja
                 --build-options -DTAPLINE_SOURCE=${PROJECT_SOURCE_DIR} -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} --test-command use_tapline_static f32)
set_tests_properties(subdirectory PROPERTIES LABELS slow)

# Threads that wait must not spin where other tests want the processor: a barrier may then take a hundred times longer.
get_property(all_tests DIRECTORY PROPERTY TESTS)
set_property(TEST ${all_tests} APPEND PROPERTY ENVIRONMENT GOMP_SPINCOUNT=1000 KMP_BLOCKTIME=1)
