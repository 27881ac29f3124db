# Lets the structs of the headers grow by a field at their end, as a later version may. Enumerations stay as they are.
/^typedef (enum|struct) / { is_struct = $2 == "struct" }
is_struct && /^} tl_([a-z0-9_]*_)?(cfg|result|info|range|target|report|spec);$/ { print "    int64_t future;" }
{ print }
