# After folders.awk and its table: reads what `nm -A -g -P` says of objects (…/TARGET.dir/src/base/error.c.o: tl_fail T 0 0) and prints who
# uses what against the table, and each circle of files, with the symbols that tie it. Exit code 1 if any.

{
    colon = match($0, /\.o: /)
    file = substr($0, 1, colon - 1)
    sub(/^.*\.dir\/(\.\/)?/, "", file)
    split(substr($0, colon + 4), field, " ")
    if (field[2] == "U") wanted[file, field[1]] = 1
    else if (field[2] ~ /^[TDRBG]$/) home[field[1]] = file
    files[file] = 1
}

function add_edges(    key, part, target) {
    for (key in wanted) {
        split(key, part, SUBSEP)
        if (!(part[2] in home)) continue
        if (part[1] ~ /^layers\// && part[2] ~ /_layer_ops$/ && part[1] !~ /registry/) continue # asking which kind another layer is
        target = home[part[2]]
        if (target == part[1]) continue
        if (!((part[1], target) in ties)) neighbours[part[1]] = neighbours[part[1]] " " target
        ties[part[1], target] = ties[part[1], target] " " part[2]
    }
}

function check_edges(    key, part, reason) {
    for (key in ties) {
        split(key, part, SUBSEP)
        reason = wrong(part[1], part[2])
        if (reason != "") complain(part[1] " -> " part[2] ":" ties[key] ": " reason)
    }
}

# A neighbour of the file that is still there; "" where there is none.
function next_of(file,    list, count, i) {
    count = split(neighbours[file], list, " ")
    for (i = 1; i <= count; i++)
        if (list[i] in files) return list[i]
    return ""
}

# Takes away files that use none that is left: what stays is in circles, or leads to one.
function prune(    file, found) {
    do {
        found = 0
        for (file in files)
            if (next_of(file) == "") {
                delete files[file]
                found = 1
            }
    } while (found)
}

# Goes from file to file until one comes again; prints the circle, and takes its first file away so that others are found too.
function report_circle(file,    seen, begin, text) {
    while (!(file in seen)) {
        seen[file] = 1
        file = next_of(file)
    }
    begin = file
    text = "circle of files: " begin
    do {
        text = text " ->" ties[file, next_of(file)] " -> " next_of(file)
        file = next_of(file)
    } while (file != begin)
    complain(text)
    delete files[begin]
}

END {
    add_edges()
    check_edges()
    for (prune(); !empty(); prune()) report_circle(first)
    for (key in ties) edges++
    if (edges == 0) complain("nm tells of no symbols")
    print edges + 0 " pairs of files use each other's symbols"
    exit bad
}

# Whether no file is left; `first`: one of them.
function empty() {
    for (first in files) return 0
    return 1
}
