/* diagram.h: a network as a diagram: a row for each layer, with lines from layers to those that read them. */
#ifndef CLI_DIAGRAM_H
#define CLI_DIAGRAM_H

#include "cli/picture/layers.h"
#include "picture/terminal.h"

typedef struct diagram diagram;

/* Makes the diagram of layers as layers_of returns them, for inputs of this shape. The layers stay the caller's and must exist as
 * long as the diagram. NULL if memory is short. Free it with diagram_free. */
diagram *diagram_make(const json_t *layers, tl_shape input, tl_error *error);
void diagram_free(diagram *self);

/* Prints it as rows of text. */
void diagram_print(const diagram *self, const terminal *kind, FILE *to);

/* Adds it as an element <svg>, at a place in an outer one. Returns its height. `width` is the width in pixels. */
double diagram_svg(const diagram *self, double x, double y, double width, markup *to);

#endif
