#include "read/time.h"

#include <string.h>

/* Days since 1970-01-01 (H. Hinnant, chrono-compatible low-level date algorithms). */
static int days_of(int year, int month, int day) {
    year -= month <= 2;
    const int era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400,
              of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Removes the character `before` and then a number of at most `digits` digits from *text; '\0': no character. */
static bool cut_digits(const char **text, char before, int digits, int *number) {
    const char *at = *text;
    if (before && *at++ != before) return false;
    const char *first = at;
    for (*number = 0; at < first + digits && *at >= '0' && *at <= '9'; at++) *number = *number * 10 + (*at - '0');
    *text = at;
    return at > first;
}

bool tl_field_time(const tl_text *text, tl_field field, double *time) {
    char copy[40];
    int year, month, day, hour = 0, minute = 0;
    double second = 0;
    if (tl_field_number(text, field, time)) return true;
    const size_t length = (size_t)(field.end - field.begin);
    if (length >= sizeof copy) return false;
    memcpy(copy, field.begin, length);
    copy[length] = '\0';
    const char *rest = copy;
    if (!cut_digits(&rest, '\0', 4, &year) || !cut_digits(&rest, '-', 2, &month) || !cut_digits(&rest, '-', 2, &day)) return false;
    if (*rest == 'T' || *rest == ' ') {
        if (!cut_digits(&rest, *rest, 2, &hour) || !cut_digits(&rest, ':', 2, &minute)) return false;
        const char *end = rest + strspn(rest, ":0123456789.");
        if (*rest == ':' && !tl_field_number(text, (tl_field){rest + 1, end}, &second)) return false;
        rest = end;
    }
    if (*rest == 'Z') rest++;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second >= 61) return false;
    *time = ((days_of(year, month, day) * 24.0 + hour) * 60 + minute) * 60 + second;
    return *rest == '\0';
}

/* ---- uneven times ---- */

/* One missing step makes a time twice as long as the others; clocks jitter less. */
static const double much_longer = 1.5;

void tl_times_add(tl_times *times, double time) {
    if (times->steps == 0) times->first = times->last = time;
    if (time - times->last > times->widest) times->widest = time - times->last;
    times->last = time;
    times->steps++;
}

static double mean_of(const tl_times *times) { return (times->last - times->first) / (double)(times->steps - 1); }

bool tl_times_uneven(const tl_times *times) { return times->steps > 2 && times->widest > much_longer * mean_of(times); }

void tl_times_warn(const tl_times *times, const tl_samples *samples, const char *name) {
    tl_samples_warn(samples,
                    "%.120s: the steps of %.60s are up to %g apart in time, and %g on average, but networks take steps as evenly "
                    "spaced; resample the series, or add the missing steps without values (--missing interpolate)",
                    samples->text->path, name, times->widest, mean_of(times));
}
