# Cuts the fenced blocks of a Markdown file into files OUT/NUMBER.LANGUAGE, numbered by the line that the block starts on, and prints
# their names.

/^```/ && !inside {
    language = substr($0, 4)
    sub(/[^a-z].*/, "", language)
    file = sprintf("%s/%04d.%s", OUT, FNR + 1, language == "" ? "none" : language)
    printf "" >file
    print file
    inside = 1
    next
}
/^```/ {
    close(file)
    inside = 0
    next
}
inside { print >file }
END {
    if (inside) {
        print FILENAME ": a block is not closed" >"/dev/stderr"
        exit 1
    }
}
