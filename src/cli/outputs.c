#include "cli/outputs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int digits = sizeof(tl_real) == sizeof(float) ? 9 : 17; /* that tell any two numbers apart */

/* A field of CSV (RFC 4180): in quotes where it needs them. Control characters are shown (print_part), but for line ends and tabs
 * where no terminal reads them. */
static void print_field(const char *text) {
    const char *raw = isatty(STDOUT_FILENO) ? "\"" : "\"\r\n\t";
    const bool quoted = strpbrk(text, ",\"\r\n");
    if (quoted) putchar('"');
    while (*text) {
        const size_t length = strcspn(text, raw);
        print_part(stdout, text, length);
        text += length;
        if (*text == '"') putchar('"');
        if (*text) putchar(*text++);
    }
    if (quoted) putchar('"');
}

static void print_class(const tl_dataset *data, size_t class) {
    if (data->class_names)
        print_field(data->class_names[class]);
    else
        printf("%zu", class);
}

/* Several values at a time are numbered. */
void IN_PRECISION(outputs_head)(const tl_dataset *data, size_t outputs) {
    if (data->classes > 0) fputs("class", stdout);
    for (size_t c = 0; c < outputs; c++) {
        if (data->classes > 0 || c > 0) putchar(',');
        if (data->classes > 0)
            print_class(data, c);
        else if (outputs > 1)
            printf("value_%zu", c);
        else
            fputs("value", stdout);
    }
    putchar('\n');
}

void IN_PRECISION(outputs_row)(const tl_dataset *data, const tl_real *y, size_t outputs) {
    size_t largest = 0;
    for (size_t c = 1; c < outputs; c++)
        if (y[c] > y[largest]) largest = c;
    if (data->classes > 0) print_class(data, largest);
    for (size_t c = 0; c < outputs; c++) printf("%s%.*g", data->classes > 0 || c > 0 ? "," : "", digits, (double)y[c]);
    putchar('\n');
}
