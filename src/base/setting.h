/* setting.h: settings of a struct (tl_setting) to and from JSON. */
#ifndef TL_SETTING_H
#define TL_SETTING_H

#include <tapline/layer.h>

#include <jansson.h>

/* Sets the member of `object` that a key names. `outputs`: what the word "outputs" stands for, 0: nothing. Fails with
 * `key "kernel" is "wide"; it should be a whole number`, or naming the key that was probably meant. */
tl_status tl_setting_set(const tl_setting *settings, void *object, const char *key, const json_t *value, int outputs,
                         tl_error *error);

/* Of a kind of layer or a choice of a setting: its name today where files may hold an earlier one, else the same. */
const char *tl_current_name(const char *name);

/* Adds the members that are not zero to `to`; false where memory is short. */
bool tl_settings_put(const tl_setting *settings, const void *object, json_t *to);

/* The same with those that are zero, but without infinite numbers, which JSON has not. */
bool tl_settings_put_all(const tl_setting *settings, const void *object, json_t *to);

#endif
