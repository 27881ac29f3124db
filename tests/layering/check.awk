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

# The room that a file belongs to; a layer is a room of its own, as is the folder layers/conv1d.
function room(path,    name) {
    if (path ~ /^include\//) return "include"
    if (path ~ /^src\/cli\//) return "src/cli"
    if (path ~ /^src\//) return "src"
    if (path ~ /^layers\/[^\/]*\//) return "layers/" substr(path, 8, index(substr(path, 8), "/") - 1)
    if (path ~ /^layers\//) {
        name = substr(path, 8)
        sub(/\.[ch]$/, "", name)
        return "layers/" name
    }
    sub(/\/.*/, "", path)
    return path
}

# The file that #include "name" means, among the folders that the build looks in; "" where there is none in this tree.
function resolve(name,    here, i, path) {
    here = FILENAME
    sub(/[^\/]*$/, "", here)
    path = here name
    while (sub(/[^\/]+\/\.\.\//, "", path)) continue
    if (exists(path)) return path
    for (i = 1; i <= folders; i++)
        if (exists(folder[i] name)) return folder[i] name
    return ""
}

function allowed(from, to) {
    if (from == to || to == "include") return 1
    if (from ~ /^layers\// || from == "optim") return to == "src"
    return from == "bench" && to == "src/cli"
}

BEGIN { folders = split("include/ src/ layers/ optim/ src/cli/ bench/", folder, " ") }

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = resolve(part[2])
    if (target == "") complain("#include \"" part[2] "\" is not a file of this tree")
    else if (!allowed(room(FILENAME), room(target))) complain(room(FILENAME) " includes " target ", of " room(target))
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    match($0, /<[^>]*>/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    if (name ~ /^tapline\// && !exists("include/" name) && name != "tapline/names_f64.h") complain("<" name "> is not a public header")
    if (room(FILENAME) == "include" && name !~ /^tapline\// && name !~ /^(stdbool|stddef|stdint)\.h$/)
        complain("a public header includes <" name ">")
}

/[<"](cblas|f77blas|openblas_config)\.h|cblas_|openblas_/ && FILENAME != "src/gemm.c" { complain("only src/gemm.c names the BLAS") }
/<omp\.h>|omp_[gs]et_|#[ \t]*pragma[ \t]+omp/ && FILENAME != "src/parallel.c" { complain("only src/parallel.c names OpenMP") }

/<zlib\.h>/ && FILENAME != "src/data/zip.c" { complain("only src/data/zip.c names zlib") }

END { exit bad }
