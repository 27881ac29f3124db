/* The accuracy of trainings on real data, read from the command's JSON. Takes minutes: label "slow". */
#include "check.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

/* Trains on NAME's files, or on builtin:cbf for NULL, and returns the object. Free with json_decref. */
static json_t *train(const char *name, const char *epochs, int seed) {
    static char data[4200], test[4200];
    char seed_text[16];
    snprintf(seed_text, sizeof seed_text, "%d", seed);
    if (name) {
        char file[200];
        snprintf(file, sizeof file, "%s/%s_TRAIN.ts", name, name);
        snprintf(data, sizeof data, "%s", data_path(file));
        snprintf(file, sizeof file, "%s/%s_TEST.ts", name, name);
        snprintf(test, sizeof test, "%s", data_path(file));
    }
    run done = run_command("train", name ? data : "builtin:cbf", "--test", name ? test : "builtin:cbf/test", "--epochs", epochs,
                           "--seed", seed_text, "--json", "--quiet");
    if (done.code != 0) fail_msg("exit code %d: %s", done.code, done.err);
    json_t *object = run_json(&done);
    print_message("%s", strrchr(done.out, '{'));
    run_free(&done);
    return object;
}

static double accuracy(const char *name, const char *epochs, int seed) {
    json_t *object = train(name, epochs, seed);
    const double value = json_number(object, "test_accuracy");
    json_decref(object);
    return value;
}

static void expect_at_least(const char *what, double value, double bound) {
    print_message("%s: %.4f (at least %.3f)\n", what, value, bound);
    if (!(value >= bound)) fail_msg("%s %.4f is below %.3f", what, value, bound);
}

static void given_italy_power_demand_when_trained_then_mean_as_published(void **unused) {
    (void)unused;
    double sum = 0;
    for (int seed = 0; seed < 5; seed++) sum += accuracy("ItalyPowerDemand", "300", seed);
    expect_at_least("ItalyPowerDemand, mean over seeds 0-4", sum / 5, 0.955);
}

static void given_gun_point_when_trained_then_published_accuracy(void **unused) {
    (void)unused;
    expect_at_least("GunPoint", accuracy("GunPoint", "300", 0), 0.97);
}

static void given_basic_motions_when_trained_then_published_accuracy(void **unused) {
    (void)unused;
    expect_at_least("BasicMotions", accuracy("BasicMotions", "100", 0), 0.95);
}

static void given_cbf_when_trained_then_published_accuracy(void **unused) {
    (void)unused;
    expect_at_least("CBF", accuracy(NULL, "300", 0), 0.98);
}

/* Predicting the mean of the training targets has rmse 0.040 on the training set and 0.045 on the test set. */
static void given_covid_3_month_when_trained_then_better_than_the_mean(void **unused) {
    (void)unused;
    json_t *object = train("Covid3Month", "300", 0);
    const double learnt = json_number(object, "train_rmse"), rmse = json_number(object, "test_rmse");
    const double mae = json_number(object, "test_mae");
    print_message("Covid3Month: rmse %.4f, mae %.4f\n", rmse, mae);
    json_decref(object);
    if (!(learnt < 0.035 && rmse < 0.055 && mae <= rmse)) fail_msg("train rmse %g, test rmse %g, mae %g", learnt, rmse, mae);
}

/* Training keeps nothing from epoch to epoch. */
static void given_more_epochs_when_trained_then_no_more_memory(void **unused) {
    (void)unused;
    json_t *few = train("GunPoint", "2", 0), *many = train("GunPoint", "40", 0);
    const double before = json_number(few, "peak_rss_mb"), after = json_number(many, "peak_rss_mb");
    if (after > 60 || after > before + 2) fail_msg("%.1f MB after 2 epochs, %.1f MB after 40; the limit is 60 MB", before, after);
    json_decref(few);
    json_decref(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_italy_power_demand_when_trained_then_mean_as_published),
        cmocka_unit_test(given_gun_point_when_trained_then_published_accuracy),
        cmocka_unit_test(given_basic_motions_when_trained_then_published_accuracy),
        cmocka_unit_test(given_cbf_when_trained_then_published_accuracy),
        cmocka_unit_test(given_covid_3_month_when_trained_then_better_than_the_mean),
        cmocka_unit_test(given_more_epochs_when_trained_then_no_more_memory),
    };
    return check_run(tests);
}
