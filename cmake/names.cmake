# Writes HEADER: a #define for each global symbol tl_… of LIBRARY (OPTIONS: -D for those that it exports) that appends _f64. Left alone where nothing changed.
execute_process(COMMAND ${NM} ${OPTIONS} -g -P ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "(^|\n)tl_[A-Za-z0-9_]+ [TDBR]" symbols "${symbols}")
list(TRANSFORM symbols REPLACE "^\n?(tl_[A-Za-z0-9_]+) .$" "#define \\1 \\1_f64")
list(SORT symbols)
list(REMOVE_DUPLICATES symbols)
string(JOIN "\n" text "/* Made by the build: the linked symbols of the double library, apart from those of the float library. */"
       "#ifndef TAPLINE_NAMES_F64_H" "#define TAPLINE_NAMES_F64_H" ${symbols} "#endif" "")
file(CONFIGURE OUTPUT ${HEADER} CONTENT "${text}" @ONLY)
