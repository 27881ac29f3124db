# tapline::jansson, by its pkg-config module. The installed package includes this file too, for those who link the static library.
if(NOT TARGET tapline::jansson)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(TAPLINE_JANSSON REQUIRED jansson>=2.10)
  add_library(tapline::jansson INTERFACE IMPORTED GLOBAL)
  target_include_directories(tapline::jansson INTERFACE ${TAPLINE_JANSSON_INCLUDE_DIRS})
  target_link_libraries(tapline::jansson INTERFACE ${TAPLINE_JANSSON_LINK_LIBRARIES})
endif()
