# Lets the structs of the headers grow by a field at their end, as a later version may.
/^} tl_[a-z0-9_]*_(cfg|result|info|range|target|report|spec);$/ || /^} tl_target;$/ || /^} tl_rate_range;$/ { print "    int64_t future;" }
{ print }
