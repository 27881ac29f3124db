/* Every enumeration that people write as a word: each value has a name, and the name leads back to the value. */
#include "check.h"

#include <tapline/tapline.h>

#include <stdio.h>

typedef struct enumeration {
    const char *what; /* as messages call it */
    const char *(*name)(int value);
    tl_status (*by_name)(const char *name, int *value, tl_error *error);
    int first, count;
} enumeration;

/* The functions of one enumeration, as functions of an int. */
#define ENUMERATION(prefix, type)                                                                                                  \
    static const char *prefix##_name_of(int value) { return tl_##prefix##_name((type)value); }                                     \
    static tl_status prefix##_value_of(const char *name, int *value, tl_error *error) {                                            \
        type found = (type)-1;                                                                                                     \
        const tl_status status = tl_##prefix##_by_name(name, &found, error);                                                       \
        *value = (int)found;                                                                                                       \
        return status;                                                                                                             \
    }

ENUMERATION(init, tl_init)
ENUMERATION(padding, tl_padding)
ENUMERATION(padding_mode, tl_padding_mode)
ENUMERATION(engine, tl_engine)
ENUMERATION(loss, tl_loss_kind)
ENUMERATION(schedule, tl_schedule_kind)
ENUMERATION(normalization, tl_normalization)
ENUMERATION(missing_policy, tl_missing_policy)
ENUMERATION(header, tl_header)
ENUMERATION(window_target, tl_window_target)

static const enumeration enumerations[] = {
    {"initialiser", init_name_of, init_value_of, TL_INIT_GLOROT_UNIFORM, TL_INIT_CONSTANT + 1},
    {"padding", padding_name_of, padding_value_of, TL_PADDING_VALID, TL_PADDING_EXPLICIT + 1},
    {"padding mode", padding_mode_name_of, padding_mode_value_of, TL_PADDING_MODE_ZEROS, TL_PADDING_MODE_CIRCULAR + 1},
    {"engine", engine_name_of, engine_value_of, TL_ENGINE_AUTO, TL_ENGINE_WINOGRAD + 1},
    {"loss", loss_name_of, loss_value_of, TL_LOSS_CROSS_ENTROPY, TL_LOSS_OWN + 1},
    {"schedule", schedule_name_of, schedule_value_of, TL_SCHEDULE_CONSTANT, TL_SCHEDULE_KING + 1},
    {"normalisation", normalization_name_of, normalization_value_of, TL_NORMALIZE_NONE, TL_NORMALIZE_SET + 1},
    {"missing values", missing_policy_name_of, missing_policy_value_of, TL_MISSING_REFUSE, TL_MISSING_TAIL + 1},
    {"header", header_name_of, header_value_of, TL_HEADER_AUTO, TL_HEADER_NO + 1},
    {"window target", window_target_name_of, window_target_value_of, TL_WINDOW_MAJORITY, TL_WINDOW_STEPS + 1},
};

enum { ENUMERATIONS = sizeof enumerations / sizeof *enumerations };

static void given_every_value_when_named_then_the_name_leads_back(void **unused) {
    (void)unused;
    for (size_t e = 0; e < ENUMERATIONS; e++)
        for (int value = enumerations[e].first; value < enumerations[e].count; value++) {
            int found;
            const char *name = enumerations[e].name(value);
            if (!name) fail_msg("%s %d has no name", enumerations[e].what, value);
            if (enumerations[e].by_name(name, &found, NULL) != TL_OK || found != value)
                fail_msg("%s \"%s\" leads to %d instead of %d", enumerations[e].what, name, found, value);
        }
}

static void given_a_number_beyond_the_last_when_named_then_null(void **unused) {
    (void)unused;
    for (size_t e = 0; e < ENUMERATIONS; e++) {
        const char *name = enumerations[e].name(enumerations[e].count);
        if (name) fail_msg("%s %d is called \"%s\"", enumerations[e].what, enumerations[e].count, name);
    }
}

static void given_an_unknown_name_when_looked_up_then_all_names_are_listed(void **unused) {
    (void)unused;
    for (size_t e = 0; e < ENUMERATIONS; e++) {
        int found;
        tl_error error = {0};
        char text[200];
        snprintf(text, sizeof text, "%s \"sunday\" is unknown; choose one of ", enumerations[e].what);
        assert_int_equal(enumerations[e].by_name("sunday", &found, NULL), TL_ERROR_ARGUMENT);
        enumerations[e].by_name("sunday", &found, &error);
        check_error(&error, TL_ERROR_ARGUMENT, text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_every_value_when_named_then_the_name_leads_back),
        cmocka_unit_test(given_a_number_beyond_the_last_when_named_then_null),
        cmocka_unit_test(given_an_unknown_name_when_looked_up_then_all_names_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
