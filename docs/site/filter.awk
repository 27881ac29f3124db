# Turns the comments of the headers into those that Doxygen reads: of a declaration below them, or of the field on their line. What Doxygen would
# take for its own commands or HTML is escaped.
function escaped(text) {
    gsub(/[\\@<>&#%]/, "\\\\&", text)
    return text
}
function begin(line) { # a line that begins a comment outside of one
    at = index(line, "/*")
    code = substr(line, 1, at - 1)
    text = escaped(substr(line, at + 2))
    sub(/\*\\\//, "*/", text)
    return code (code ~ /[^ ]/ ? "/**<" : FNR == 1 ? "/** \\file\n *" : "/**") text
}
inside { line = escaped($0); print line; if (/\*\//) inside = 0; next }
/\/\* ----/ { print ""; next } # the title of a part of a header
/\/\*/ { print begin($0); if (!/\*\//) inside = 1; next }
{ print }
