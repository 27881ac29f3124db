/* `tapline convert`; compiled once for each precision (commands.h). */
#include "cli/convert/convert.h"

#include "cli/files.h"
#include "cli/input.h"
#include "cli/report.h"

#include <stdio.h>

static void tell(const convert_settings *settings, const size_t shape[3]) {
    if (settings->common.json) {
        json_t *report = json_object();
        report_text(report, "out", settings->out);
        report_count(report, "series", shape[0]);
        report_count(report, "length", shape[1]);
        report_count(report, "channels", shape[2]);
        report_text(report, "type", settings->single ? "float32" : "float64");
        report_json(report);
    } else {
        print_shown(stdout, settings->out);
        printf("  %zu series of %zu steps and %zu channel%s, %s\n", shape[0], shape[1], shape[2], shape[2] == 1 ? "" : "s",
               settings->single ? "float32" : "float64");
    }
}

int IN_PRECISION(convert)(const void *given) {
    const convert_settings *settings = given;
    tl_error error = {0};
    size_t shape[3] = {0};
    tl_read_cfg cfg = {.unequal = settings->unequal,
                       .unlabelled = settings->unlabelled,
                       .segment = (size_t)settings->segment,
                       .warn = complain_of_data,
                       .max_memory = max_memory(&settings->common) / 2};
    if (!settings->out) tl_fail(&error, TL_ERROR_ARGUMENT, "needs --out x.npy or --out FILE.npz, the file to write");
    tl_missing_policy_by_name(settings->missing, &cfg.missing_policy, &error);
    IN_PRECISION(reading_apply)(&settings->reading, &cfg, &error);
    const used_file files[] = {{"DATA", settings->common.operand[0], FILE_DATA, 0}, {"--out", settings->out, FILE_REPLACED, 0}};
    files_check_read(files, sizeof files / sizeof *files, &cfg, &error);
    const char *path = tl_failed(&error) ? NULL : input_open(settings->common.operand[0], &cfg, &error);
    if (!tl_failed(&error)) tl_dataset_convert(path, settings->out, &cfg, settings->single, shape, &error);
    input_name(&error);
    if (!tl_failed(&error)) {
        tell(settings, shape);
        return EXIT_DONE;
    }
    complain(settings->common.command, "%s", error.text);
    return error.status == TL_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
}
