# After folders.awk and its table: reads C files (names relative to the working folder, the root of the tree) and prints "file:line: what" for
# each #include against the table, and for each library used outside the one file that may. Exit code 1 if any.

function at(what) { complain(FILENAME ":" FNR ": " what) }

function exists(path,    line, found) {
    found = (getline line < path) >= 0
    close(path)
    return found
}

# The file that #include "name" means; "" where there is none in this tree. Headers are named by their path from src or the root; bench
# also names its own without a folder.
function resolve(name) {
    if (name ~ /\.\.\//) return ""
    if (FILENAME ~ /^bench\// && exists("bench/" name)) return "bench/" name
    if (exists("src/" name)) return "src/" name
    if (name ~ /^(layers|optim|python)\// && exists(name)) return name
    return ""
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = resolve(part[2])
    if (target == "") at("#include \"" part[2] "\" is not the path of a header from src or the root")
    else if ((reason = wrong(FILENAME, target)) != "") at("#include \"" part[2] "\": " reason)
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    match($0, /<[^>]*>/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    if (name ~ /^tapline\// && !exists("include/" name) && !exists("src/mpi/" name) && name != "tapline/names_f64.h") at("<" name "> is not a public header")
    if (FILENAME ~ /^include\// && name !~ /^tapline\// && name !~ /^(stdbool|stddef|stdint)\.h$/) at("a public header includes <" name ">")
}

/[<"](cblas|f77blas|openblas_config)\.h|cblas_|openblas_/ && FILENAME != "src/compute/gemm.c" { at("only src/compute/gemm.c names the BLAS") }
/<omp\.h>|omp_[gs]et_|#[ \t]*pragma[ \t]+omp/ && FILENAME != "src/compute/parallel.c" { at("only src/compute/parallel.c names OpenMP") }
/<zlib\.h>/ && FILENAME !~ /^src\/io\/(inflate|crc)\.c$/ { at("only src/io/inflate.c and src/io/crc.c name zlib") }

END { exit bad }
