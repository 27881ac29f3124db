# Prints what fish completes.
tapline help --completion fish | source
for line in (cat (dirname (status filename))/lines.txt)
    echo "$line:"
    complete -C "$line" | string replace -r '\t.*' '' | sort | string replace -r '^' '  '
end
