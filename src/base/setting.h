/* setting.h: converts the settings of a struct (tl_setting) to and from JSON. */
#ifndef TL_SETTING_H
#define TL_SETTING_H

#include <tapline/layer.h>

#include <jansson.h>

/* Sets the member of `object` that belongs to a key. `outputs`: the value of the word "outputs"; 0: not allowed. Fails with `key
 * "kernel" is "wide"; it should be a whole number`, or with a suggestion for an unknown key. */
tl_status tl_setting_set(const tl_setting *settings, void *object, const char *key, const json_t *value, size_t outputs,
                         tl_error *error);

/* Returns the current name of a kind of layer or of a choice: files may contain an earlier name. Other names are returned
 * unchanged. */
const char *tl_current_name(const char *name);

/* Adds all members that are not zero to `to`; returns false if memory is short. */
bool tl_settings_put(const tl_setting *settings, const void *object, json_t *to);

/* The same with members that are zero, but without infinite numbers, which JSON cannot represent. */
bool tl_settings_put_all(const tl_setting *settings, const void *object, json_t *to);

#endif
