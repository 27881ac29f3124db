# tapline_library(NAME DEFINITION): one build of the sources, as a static and a shared library.
#
# The kernels (src/kernels) are compiled once per instruction set; everything else once. DEFINITION is TAPLINE_F64 for the double build, whose
# linked symbols are renamed through names_f64.h, made here from the symbols of the float build.

# The SONAME: of the binary interface, not of the version. It is raised where abidiff (.ci/lint) shows a break of tests/abi, and there alone.
set(tapline_abi 1)

# What else than the version may change the last bits of results: checkpoints keep it.
string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(MD5 flags "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}} ${TAPLINE_SANITIZE} ${TAPLINE_BLAS}")
string(SUBSTRING ${flags} 0 6 flags)
set(tapline_build "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${flags}")

set(tapline_baseline_options "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Without this GCC loads all of a step's broadcasts first there, and has no registers left for the sums of a tile.
  set(tapline_baseline_options $<$<C_COMPILER_ID:GNU>:-fno-schedule-insns>)
endif()
# avoid-fma-max-bits: GCC 14 multiplies and adds in two steps where it takes sums for chains, which is slower here, and other bits in some
# kernels than in others.
set(tapline_fma_options -mfma $<$<C_COMPILER_ID:GNU>:--param=avoid-fma-max-bits=0>)
set(tapline_avx2_options -mavx2 ${tapline_fma_options})
# -fira-algorithm: GCC's other allocator leaves addresses of the larger register tiles in memory.
set(tapline_avx512_options -mavx512f -mavx512dq -mavx512vl ${tapline_fma_options} -mprefer-vector-width=512 $<$<C_COMPILER_ID:GNU>:-fira-algorithm=priority>)
set(tapline_instruction_sets baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND tapline_instruction_sets avx2 avx512)
endif()

# The file with the other matrix product.
set(tapline_other_gemm gemm_own.c)
if(TAPLINE_BLAS STREQUAL "none")
  set(tapline_other_gemm gemm.c)
endif()

function(tapline_objects target definition)
  target_compile_definitions(${target} PRIVATE ${definition})
  # Our own headers are included by their path from src, or from the root: "graph/graph.h", "layers/registry.h".
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tapline_flags>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(definition STREQUAL TAPLINE_F64)
    target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/generated/internal)
    add_dependencies(${target} tapline_names)
  endif()
endfunction()

# tapline_texts: the functions that `tapline export` writes into files of C, as strings.
file(GLOB device CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/device/text/*.c)
set(texts ${PROJECT_BINARY_DIR}/generated/tapline_c_texts.h)
add_custom_command(OUTPUT ${texts} DEPENDS ${device} ${PROJECT_SOURCE_DIR}/cmake/texts.cmake VERBATIM
                   COMMAND ${CMAKE_COMMAND} -D FOLDER=${PROJECT_SOURCE_DIR}/src/device/text -D HEADER=${texts} -P ${PROJECT_SOURCE_DIR}/cmake/texts.cmake)
add_custom_target(tapline_texts DEPENDS ${texts})

function(tapline_library name definition)
  set(folders src/base src/compute src/io src/data src/read optim src/graph layers layers/conv1d layers/rocket src/models src/export src/onnx src/train src/stream src/device)
  list(TRANSFORM folders PREPEND ${PROJECT_SOURCE_DIR}/)
  list(TRANSFORM folders APPEND /*.c OUTPUT_VARIABLE patterns)
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/src/compute/${tapline_other_gemm})
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/kernels/*.c)

  # No multiply-adds there: its results are the same bits in all instruction sets.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/rocket.c PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
  if(TAPLINE_FUZZ) # kernels parse nothing, and with libFuzzer's instrumentation they compile for minutes
    set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
  endif()

  # GCC sets large structs to zero with `rep stos`, which takes about 15 ns to begin: too long between the layers of a stream, or the samples
  # of a small layer.
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND "avx2" IN_LIST tapline_instruction_sets)
    set(passes ${sources})
    list(FILTER passes INCLUDE REGEX "/(layers|src/compute|src/graph|src/stream)/")
    set_source_files_properties(${passes} PROPERTIES COMPILE_OPTIONS "-mmemset-strategy=unrolled_loop:320:noalign,libcall:-1:noalign")
  endif()

  add_library(${name}_objects OBJECT ${sources})
  tapline_objects(${name}_objects "${definition}")
  target_compile_definitions(${name}_objects PRIVATE TL_BUILD="${tapline_build}")
  target_include_directories(${name}_objects PRIVATE ${PROJECT_BINARY_DIR}/generated)
  add_dependencies(${name}_objects tapline_texts)
  target_link_libraries(${name}_objects PRIVATE tapline::blas tapline::jansson tapline::xxhash OpenMP::OpenMP_C ZLIB::ZLIB)
  set(objects $<TARGET_OBJECTS:${name}_objects>)
  foreach(isa IN LISTS tapline_instruction_sets)
    add_library(${name}_${isa} OBJECT ${kernels})
    tapline_objects(${name}_${isa} "${definition}")
    target_compile_definitions(${name}_${isa} PRIVATE TL_KERNEL_ISA=${isa})
    target_compile_options(${name}_${isa} PRIVATE $<IF:$<BOOL:${TAPLINE_SANITIZE}>,-O1,-O3> -ffp-contract=fast ${tapline_${isa}_options})
    # With the sanitizers some of these objects compile for minutes. Those of single precision stand for all: the sources are the same.
    if(TAPLINE_SANITIZE AND (definition STREQUAL TAPLINE_F64 OR isa STREQUAL avx512))
      target_compile_options(${name}_${isa} PRIVATE -fno-sanitize=all)
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${name}_${isa}>)
  endforeach()

  foreach(kind static shared)
    string(TOUPPER ${kind} type)
    add_library(${name}_${kind} ${type} ${objects})
    set_target_properties(${name}_${kind} PROPERTIES OUTPUT_NAME ${name} VERSION ${tapline_abi}.${PROJECT_VERSION} SOVERSION ${tapline_abi} LINKER_LANGUAGE C)
    target_compile_definitions(${name}_${kind} INTERFACE ${definition})
    target_include_directories(${name}_${kind} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    if(definition STREQUAL TAPLINE_F64)
      target_include_directories(${name}_${kind} INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated$<$<STREQUAL:${kind},static>:/internal>>)
      add_dependencies(${name}_${kind} tapline_names)
    endif()
    target_link_libraries(${name}_${kind} PRIVATE tapline::blas tapline::jansson OpenMP::OpenMP_C ZLIB::ZLIB m $<BUILD_INTERFACE:tapline_flags>)
  endforeach()
  set_target_properties(${name}_shared PROPERTIES EXPORT_NAME ${name})
  add_library(tapline::${name} ALIAS ${name}_shared)
  add_library(tapline::${name}_static ALIAS ${name}_static)

  if(name STREQUAL tapline)
    tapline_make_names()
  endif()
endfunction()

# tapline_names: names_f64.h, the header that gives the linked symbols of the double build their suffix. That of generated/internal renames all
# of them, for the library itself and tests of its parts; that which is installed renames what the shared library exports.
function(tapline_make_names)
  set(headers "")
  foreach(pair static:internal/ shared:)
    string(REGEX REPLACE ":.*" "" kind ${pair})
    string(REGEX REPLACE ".*:" "" folder ${pair})
    set(header ${PROJECT_BINARY_DIR}/generated/${folder}tapline/names_f64.h)
    add_custom_command(OUTPUT ${header}.stamp BYPRODUCTS ${header}
                       COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DOPTIONS=$<$<STREQUAL:${kind},shared>:-D> -DLIBRARY=$<TARGET_FILE:tapline_${kind}>
                               -DHEADER=${header} -P ${PROJECT_SOURCE_DIR}/cmake/names.cmake
                       COMMAND ${CMAKE_COMMAND} -E touch ${header}.stamp
                       DEPENDS tapline_${kind} ${PROJECT_SOURCE_DIR}/cmake/names.cmake VERBATIM)
    list(APPEND headers ${header}.stamp)
  endforeach()
  add_custom_target(tapline_names DEPENDS ${headers})
endfunction()
