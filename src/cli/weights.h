/* weights.h: what `tapline import` and `tapline export` say of weights of PyTorch. */
#ifndef CLI_WEIGHTS_H
#define CLI_WEIGHTS_H

#include <jansson.h>

/* For tl_weights_cfg.matched: adds a pair to a list. */
void weights_pair(const char *module, const char *layer, void *list);

/* A report as text: an object with "model", "parameters", "precision", "weights" and "layers", the list of pairs. */
void weights_print(const json_t *report);

#endif
