# Reads the table "Where things are" of CONTRIBUTING.md, the first file: what each folder may use, which is also what those folders may use. A
# row names folders of rows above it only, so that the table itself allows no circle. The scripts check.awk and symbols.awk follow.

function complain(what) {
    print what
    bad = 1
}

# The names in backquotes of a text, as the array `name`; returns their number.
function quoted(text, name,    count) {
    while (match(text, /`[^`]*`/)) {
        name[++count] = substr(text, RSTART + 1, RLENGTH - 2)
        text = substr(text, RSTART + RLENGTH)
    }
    return count + 0
}

function read_row(    cell, name, i, count, other) {
    split($0, cell, "|")
    quoted(cell[2], name)
    row = name[1]
    count = quoted(cell[4], name)
    for (i = 1; i <= count; i++) {
        if (!(name[i] in folders)) complain(FILENAME ":" FNR ": " row " may use " name[i] ", which no row above it is about")
        may[row, name[i]] = 1
        for (other in folders)
            if ((name[i], other) in may) may[row, other] = 1
    }
    folders[row] = 1
}

FILENAME ~ /CONTRIBUTING\.md$/ && /^\| `/ { read_row() }
FILENAME ~ /CONTRIBUTING\.md$/ { next }

# The folder of the table that a file is in; "" where there is none.
function folder_of(path) {
    while (sub(/\/[^\/]*$/, "", path))
        if (path in folders) return path
    return ""
}

# The layer that a file of the folder layers belongs to: a file, or the folder layers/conv1d. The registry belongs to none.
function layer_of(path) {
    if (path !~ /^layers\// || path ~ /^layers\/registry\./) return ""
    sub(/^layers\//, "", path)
    sub(/[.\/].*/, "", path)
    return path
}

# What is wrong where the file `from` uses the file `to`; "" where nothing is.
function wrong(from, to,    f, t) {
    f = folder_of(from)
    t = folder_of(to)
    if (f == "" || t == "") return (f == "" ? from : to) " is in no folder of the table in CONTRIBUTING.md"
    if (f != t && !((f, t) in may)) return f " may not use " t
    if (layer_of(from) != "" && layer_of(to) != "" && layer_of(from) != layer_of(to)) return "a layer uses another"
    return ""
}
