# Prints what zsh's completion system is given: `_describe` and `_files` are replaced, since the real ones need a terminal.
function _describe {
    local name
    for name in ${(P)4}; do
        name=${name//\\:/@}
        name=${name%%:*}
        print -r -- "  ${name//@/:}"
    done
}
function _files {
    local name
    for name in *(N); do
        [[ $name == ${PREFIX}* ]] && print -r -- "  $name"
    done
}
function compset { PREFIX=${PREFIX#*=}; }
function compdef { :; }
source <(tapline help --completion zsh)
while IFS= read -r line; do
    print -r -- "$line:"
    words=("${(@s: :)line}")
    CURRENT=$#words
    PREFIX=$words[-1]
    _tapline | sort
done <${0:A:h}/lines.txt
