/* settings.h: what the files of the shim share: configurations as JSON, errors as text. */
#ifndef TL_SHIM_SETTINGS_H
#define TL_SHIM_SETTINGS_H

#include "python/shim/shim.h"

/* A model as its settings say. */
typedef struct tl_shim_model_settings {
    size_t seed;
    tl_model_cfg model; /* without its seed */
    tl_compile_cfg compile;
    int optimizer; /* index of tl_optimizer_name */
    size_t length; /* of what is loaded; 0: the file's */
} tl_shim_model_settings;

/* Fill zeroed structs from JSON; fail naming the key that is wrong. */
tl_status tl_shim_take_model(const char *json, tl_shim_model_settings *settings, tl_error *error);
tl_status tl_shim_take_fit(const char *json, tl_fit_cfg *cfg, tl_error *error);

/* The status of an error as an int; its message goes into `text`, (TL_SHIM_TEXT). */
int tl_shim_report(const tl_error *error, char *text);

#endif
