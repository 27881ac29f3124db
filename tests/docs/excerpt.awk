# Exits 0 when the lines of the first file stand one after another in one of the other files, whatever both are indented by.

function trimmed(line) {
    sub(/^[ \t]+/, "", line)
    sub(/[ \t]+$/, "", line)
    return line
}

FNR == 1 { matched = 0 }
NR == FNR {
    wanted[++lines] = trimmed($0)
    next
}
found { next }
{
    line = trimmed($0)
    recent[FNR] = line
    for (i = lines; i >= 1 && recent[FNR - lines + i] == wanted[i]; i--) continue
    if (FNR >= lines && i == 0) found = 1
}
END { exit !found }
