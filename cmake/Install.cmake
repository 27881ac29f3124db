# What `cmake --install` puts in place: both libraries as shared and static, headers, the command, a CMake package, pkg-config files.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tapline)

foreach(kind shared static)
  install(TARGETS tapline_${kind} tapline_f64_${kind} EXPORT tapline_${kind}
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT tapline_${kind} NAMESPACE tapline:: FILE tapline-${kind}.cmake DESTINATION ${package_dir})
endforeach()
install(DIRECTORY include/tapline ${PROJECT_BINARY_DIR}/generated/tapline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.svg" PATTERN "*.png")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.c" PATTERN "*.json")

install(FILES docs/man/tapline.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
install(FILES docs/man/tapline-files.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)

if(TAPLINE_COMMAND)
  install(TARGETS tapline_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/package/tapline-config.cmake.in ${PROJECT_BINARY_DIR}/package/tapline-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/tapline-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/tapline-config.cmake ${PROJECT_BINARY_DIR}/package/tapline-config-version.cmake cmake/Blas.cmake cmake/Jansson.cmake
        DESTINATION ${package_dir})

# What the static library needs, in pkg-config's terms: OpenMP as the option of this compiler, the BLAS as a shared library (its own module would
# add, for a static program, what only a static BLAS needs).
set(private_libraries "")
if(TAPLINE_BLAS_MODULE_FOUND)
  set(private_libraries ${TAPLINE_BLAS_MODULE_LDFLAGS})
elseif(NOT TAPLINE_BLAS STREQUAL "none")
  set(private_libraries -l${TAPLINE_BLAS})
endif()
list(APPEND private_libraries ${TAPLINE_JANSSON_LDFLAGS} ${OpenMP_C_FLAGS} -lz -lm)
list(JOIN private_libraries " " private_libraries)
file(RELATIVE_PATH prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
cmake_path(APPEND libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
foreach(name tapline tapline_f64)
  set(precision "single precision")
  set(definition "")
  if(name STREQUAL tapline_f64)
    set(precision "double precision")
    set(definition " -DTAPLINE_F64")
  endif()
  configure_file(cmake/package/tapline.pc.in ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# `cpack -G TGZ`: an archive of all of this, to be unpacked anywhere.
if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR TGZ)
  set(CPACK_PACKAGE_VENDOR "tapline authors")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
  set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
  set(CPACK_PACKAGE_FILE_NAME tapline-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
  set(CPACK_STRIP_FILES ON)
  include(CPack)
endif()
