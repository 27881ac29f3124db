/* reading.h: the options for reading data. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "cli/commands.h"

#include <tapline/dataset.h>

/* NULL and 0: not given. */
typedef struct reading_settings {
    const char *label, *target, *ignore, *value, *group, *series, *time, *file; /* columns */
    const char *annotator;
    const char *no_label;                        /* a label */
    const char *header, *format, *window_target; /* names */
    int64_t window, hop;
    bool decimal_comma;
} reading_settings;

/* Rows of a table of options; `type`: the settings of the command, whose member `reading` they fill. */
#define READING_OPTIONS(type)                                                                                                      \
    {"label",                                                                                                                      \
     "COLUMN",                                                                                                                     \
     OPTION_TEXT,                                                                                                                  \
     offsetof(type, reading.label),                                                                                                \
     0,                                                                                                                            \
     0,                                                                                                                            \
     NULL,                                                                                                                         \
     "tables: the column of the labels: its name, first, last, a number from 1, or none (label, class, target or y; else first)"}, \
        {"target", "COLUMNS", OPTION_TEXT, offsetof(type, reading.target),                                                         \
         0,        0,         NULL,        "tables: columns that hold target values in place of labels (a regression)"},           \
        {"ignore", "COLUMNS", OPTION_TEXT, offsetof(type, reading.ignore),                                                         \
         0,        0,         NULL,        "tables: columns that are not read, such as id,3,5-8"},                                 \
        {"value", "COLUMNS", OPTION_TEXT, offsetof(type, reading.value),                                                           \
         0,       0,         NULL,        "tables: columns of values (all other columns)"},                                        \
        {"group",     "COLUMN",                                                                                                    \
         OPTION_TEXT, offsetof(type, reading.group),                                                                               \
         0,           0,                                                                                                           \
         NULL,        "tables: column of the group, such as a person; folds never divide a group (NumPy arrays: groups)"},         \
        {"series",    "COLUMN",                                                                                                    \
         OPTION_TEXT, offsetof(type, reading.series),                                                                              \
         0,           0,                                                                                                           \
         NULL,        "tables: each line is one step; this column names its series, and its values are channels"},                 \
        {"time", "COLUMN", OPTION_TEXT, offsetof(type, reading.time),                                                              \
         0,      0,        NULL,        "tables: each line is one step; this column is its time, by which steps are sorted"},      \
        {"file",                                                                                                                   \
         "COLUMN",                                                                                                                 \
         OPTION_TEXT,                                                                                                              \
         offsetof(type, reading.file),                                                                                             \
         0,                                                                                                                        \
         0,                                                                                                                        \
         NULL,                                                                                                                     \
         "tables: each line names a file that is a series; this column is its name: sound, an array, a table or a PhysioNet "      \
         "record"},                                                                                                                \
        {"no-label",  "LABEL",                                                                                                     \
         OPTION_TEXT, offsetof(type, reading.no_label),                                                                            \
         0,           0,                                                                                                           \
         NULL,        "this label means that there is no label: the series, or step, does not count in loss and metrics"},         \
        {"annotator", "NAME", OPTION_TEXT, offsetof(type, reading.annotator),                                                      \
         0,           0,      NULL,        ".hea records: the ending of the file of annotations (atr)"},                           \
        {"header", "NAME", OPTION_CHOICE, offsetof(type, reading.header),                                                          \
         0,        0,      header_name,   "tables: whether the first line has names of columns (auto)"},                           \
        {"decimal-comma", NULL, OPTION_FLAG, offsetof(type, reading.decimal_comma), 0, 0, NULL, "numbers are written 0,5"},        \
        {"format", "NAME", OPTION_TEXT, offsetof(type, reading.format),                                                            \
         0,        0,      NULL,        "format of the data, such as csv (from the name of the file)"},                            \
        {"window",                                                                                                                 \
         "N",                                                                                                                      \
         OPTION_INTEGER,                                                                                                           \
         offsetof(type, reading.window),                                                                                           \
         1,                                                                                                                        \
         INT32_MAX,                                                                                                                \
         NULL,                                                                                                                     \
         "cut recordings of any length into windows of N steps; with --value, each line of a table is one step"},                  \
        {"hop", "N",       OPTION_INTEGER, offsetof(type, reading.hop),                                                            \
         1,     INT32_MAX, NULL,           "steps from the start of a window to the next (--window)"},                             \
    {                                                                                                                              \
        "window-target", "NAME", OPTION_CHOICE, offsetof(type, reading.window_target), 0, 0, window_target_name,                   \
            "label of a window whose steps have labels (majority)"                                                                 \
    }

/* Copies the given options to the configuration. */
void IN_PRECISION(reading_apply)(const reading_settings *self, tl_read_cfg *cfg, tl_error *error);

/* Returns the first of these options that is given, such as "--label"; NULL: none is. */
const char *IN_PRECISION(reading_given)(const reading_settings *self);

/* Adds to the error of data that takes too much memory that it could be read by batch without --report. `page`: its value. */
void IN_PRECISION(reading_for_page)(const char *page, tl_error *error);

#endif
