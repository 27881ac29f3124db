# Prints what bash completes, as readline would ask for it. Bash divides words at = and :, so that its candidates lack what is before.
source <(tapline help --completion bash)
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    _tapline
    word=${COMP_LINE##* }
    kept=''
    [[ $word == *[=:]* ]] && kept=${word%"${word##*[=:]}"}
    echo "$COMP_LINE:"
    printf "  $kept%s\n" "${COMPREPLY[@]}" | sort
done <"${BASH_SOURCE[0]%/*}/lines.txt"
