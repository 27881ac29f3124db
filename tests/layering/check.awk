# Reads C files (names relative to the working folder, the root of the tree) and prints "file:line: what" for each #include against the
# direction of dependencies that CONTRIBUTING.md gives, and for each library used outside the one file that may. Exit code 1 if any.

function complain(what) {
    print FILENAME ":" FNR ": " what
    bad = 1
}

function exists(path,    line, found) {
    found = (getline line < path) >= 0
    close(path)
    return found
}

# The room that a file belongs to; a layer is a room of its own, as is the folder layers/conv1d. The registry of layers is for all.
function room(path,    name) {
    if (path ~ /^include\//) return "include"
    if (path ~ /^src\/cli\//) return "src/cli"
    if (path ~ /^src\// || path ~ /^layers\/registry\./) return "src"
    if (path ~ /^layers\/[^\/]*\//) return "layers/" substr(path, 8, index(substr(path, 8), "/") - 1)
    if (path ~ /^layers\//) {
        name = substr(path, 8)
        sub(/\.[ch]$/, "", name)
        return "layers/" name
    }
    sub(/\/.*/, "", path)
    return path
}

# The file that #include "name" means; "" where there is none in this tree. Headers are named by their path from src or the root; bench
# also names its own without a folder.
function resolve(name) {
    if (name ~ /\.\.\//) return ""
    if (FILENAME ~ /^bench\// && exists("bench/" name)) return "bench/" name
    if (exists("src/" name)) return "src/" name
    if (name ~ /^(layers|optim)\// && exists(name)) return name
    return ""
}

function allowed(from, to) {
    if (from == to || to == "include") return 1
    if (from ~ /^layers\// || from == "optim") return to == "src"
    return from == "bench" && to == "src/cli"
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = resolve(part[2])
    if (target == "") complain("#include \"" part[2] "\" is not the path of a header from src or the root")
    else if (!allowed(room(FILENAME), room(target))) complain(room(FILENAME) " includes " target ", of " room(target))
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    match($0, /<[^>]*>/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    if (name ~ /^tapline\// && !exists("include/" name) && name != "tapline/names_f64.h") complain("<" name "> is not a public header")
    if (room(FILENAME) == "include" && name !~ /^tapline\// && name !~ /^(stdbool|stddef|stdint)\.h$/)
        complain("a public header includes <" name ">")
}

/[<"](cblas|f77blas|openblas_config)\.h|cblas_|openblas_/ && FILENAME != "src/compute/gemm.c" { complain("only src/compute/gemm.c names the BLAS") }
/<omp\.h>|omp_[gs]et_|#[ \t]*pragma[ \t]+omp/ && FILENAME != "src/compute/parallel.c" { complain("only src/compute/parallel.c names OpenMP") }

/<zlib\.h>/ && FILENAME != "src/io/zip.c" { complain("only src/io/zip.c names zlib") }

END { exit bad }
