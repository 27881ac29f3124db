#include "read/time.h"

#include <stdio.h>
#include <string.h>

/* Days since 1970-01-01 (H. Hinnant, chrono-compatible low-level date algorithms). */
static double days_of(int year, int month, int day) {
    year -= month <= 2;
    const int era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400,
              of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097.0 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool tl_field_time(const tl_text *text, tl_field field, double *time) {
    char copy[40];
    int year, month, day, hour = 0, minute = 0, used = 0;
    double second = 0;
    if (tl_field_number(text, field, time)) return true;
    const size_t length = (size_t)(field.end - field.begin);
    if (length >= sizeof copy) return false;
    memcpy(copy, field.begin, length);
    copy[length] = '\0';
    if (sscanf(copy, "%4d-%2d-%2d%n", &year, &month, &day, &used) < 3) return false;
    const char *rest = copy + used;
    if (*rest == 'T' || *rest == ' ') {
        int more = 0;
        if (sscanf(++rest, "%2d:%2d%n", &hour, &minute, &more) < 2) return false;
        rest += more;
        const char *end = rest + strspn(rest, ":0123456789.");
        if (*rest == ':' && !tl_field_number(text, (tl_field){rest + 1, end}, &second)) return false;
        rest = end;
    }
    if (*rest == 'Z') rest++;
    *time = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return *rest == '\0';
}
