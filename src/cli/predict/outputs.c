#include "cli/predict/outputs.h"

#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Prints a field of CSV (RFC 4180), in quotes if needed. Control characters are shown (print_part), except line ends and tabs if
 * the output is not a terminal. */
static void print_field(const char *text) {
    const char *kept = isatty(STDOUT_FILENO) ? "\"" : "\"\r\n\t";
    const bool quoted = strpbrk(text, ",\"\r\n");
    if (quoted) putchar('"');
    while (*text) {
        const size_t length = strcspn(text, kept);
        print_part(stdout, text, length);
        text += length;
        if (*text == '"') putchar('"');
        if (*text) putchar(*text++);
    }
    if (quoted) putchar('"');
}

void IN_PRECISION(outputs_class)(const tl_dataset *data, size_t class) {
    if (data->class_names)
        print_field(data->class_names[class]);
    else
        printf("%zu", class);
}

void IN_PRECISION(outputs_number)(double value) { printf("%.*g", OUTPUTS_DIGITS, value); }

json_t *IN_PRECISION(outputs_class_json)(const tl_dataset *data, size_t class) {
    return data->class_names ? report_string(data->class_names[class]) : json_integer((json_int_t) class);
}

json_t *IN_PRECISION(outputs_numbers_json)(const tl_real *y, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, report_number((double)y[i]));
    return list;
}

/* Several values are numbered. */
void IN_PRECISION(outputs_name)(const tl_dataset *data, size_t c, size_t outputs) {
    if (data->classes > 0)
        IN_PRECISION(outputs_class)(data, c);
    else if (outputs > 1)
        printf("value_%zu", c);
    else
        fputs("value", stdout);
}

void IN_PRECISION(outputs_head)(const tl_dataset *data, size_t outputs) {
    if (data->classes > 0) fputs("class", stdout);
    for (size_t c = 0; c < outputs; c++) {
        if (data->classes > 0 || c > 0) putchar(',');
        IN_PRECISION(outputs_name)(data, c, outputs);
    }
    putchar('\n');
}

void IN_PRECISION(outputs_row)(const tl_dataset *data, const tl_real *y, size_t outputs) {
    size_t largest = 0;
    for (size_t c = 1; c < outputs; c++)
        if (y[c] > y[largest]) largest = c;
    if (data->classes > 0) IN_PRECISION(outputs_class)(data, largest);
    for (size_t c = 0; c < outputs; c++) {
        if (data->classes > 0 || c > 0) putchar(',');
        IN_PRECISION(outputs_number)((double)y[c]);
    }
    putchar('\n');
}
