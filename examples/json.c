/* A network as a text: from a string in the program, and complete, with the name of each layer, to a file and back. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "{\"layers\": ["
                           "{\"type\": \"conv1d\", \"filters\": 16, \"kernel\": 8, \"padding\": \"same\"},"
                           "{\"type\": \"relu\", \"name\": \"wide\"},"
                           "{\"type\": \"conv1d\", \"filters\": 16, \"kernel\": 3, \"padding\": \"same\"},"
                           "{\"type\": \"add\", \"inputs\": [\"wide\", \"-\"]},"
                           "{\"type\": \"global_average_pool\"},"
                           "{\"type\": \"dense\", \"units\": \"outputs\"}]}";

static tl_model *compile(tl_model *model, tl_node y, tl_error *error) {
    tl_model_compile(model, y, &(tl_compile_cfg){.batch = 1, .inference_only = true}, error);
    return model;
}

int main(int argc, char **argv) {
    tl_error error = {0};
    const char *path = argc > 1 ? argv[1] : "network.json";
    tl_save_check(path, &error); /* before the work, not after it */
    tl_model *first = tl_model_new(NULL), *second = tl_model_new(NULL);
    const tl_node x = tl_input(first, (tl_shape){.length = 100, .channels = 2});
    compile(first, tl_architecture_from_json(first, x, text, &(tl_architecture_cfg){.outputs = 5}), &error);
    char *complete = tl_architecture_to_json(first, &error);
    if (complete) tl_save_bytes(path, complete, strlen(complete), &error);

    const tl_node again = tl_input(second, (tl_shape){.length = 100, .channels = 2});
    compile(second, tl_architecture_from_file(second, again, path, NULL), &error);
    if (complete) printf("%s\n", complete);
    printf("%zu and %zu parameters\n", tl_parameter_count(first), tl_parameter_count(second));
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const bool same = tl_parameter_count(first) == tl_parameter_count(second);
    free(complete);
    tl_model_free(second);
    tl_model_free(first);
    return tl_failed(&error) || !same;
}
