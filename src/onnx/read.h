/* read.h: the parts of an ONNX file that describe its computation. */
#ifndef TL_ONNX_READ_H
#define TL_ONNX_READ_H

#include "io/protobuf.h"
#include "onnx/constant.h"

/* Part of a list of the file: `count` entries from `first` on. */
typedef struct tl_onnx_span {
    size_t first, count;
} tl_onnx_span;

/* An attribute of a node. */
typedef struct tl_onnx_setting {
    const char *name;
    int type; /* TL_ONNX_TYPE_… */
    int64_t whole;
    float number;
    const char *text;
    tl_onnx_span wholes;
    tl_onnx_constant tensor; /* TL_ONNX_TYPE_TENSOR */
} tl_onnx_setting;

typedef struct tl_onnx_operation {
    const char *type, *name, *domain;
    tl_onnx_span inputs, outputs; /* parts of `names`; "": omitted */
    tl_onnx_span settings;
} tl_onnx_operation;

typedef struct tl_onnx_initializer {
    const char *name;
    tl_onnx_constant constant;
} tl_onnx_initializer;

/* An input or an output of the graph. dims: -1 for a dimension of any size. */
typedef struct tl_onnx_port {
    const char *name;
    bool has_shape;
    size_t rank;
    int64_t dims[TL_ONNX_RANK];
} tl_onnx_port;

typedef struct tl_onnx_text {
    const char *key, *value;
} tl_onnx_text;

typedef struct tl_onnx_file {
    const char *path;
    unsigned char *image;
    size_t size, maximum;
    char *strings; /* all texts; each ends with '\0' */
    size_t strings_count;
    tl_onnx_pool pool; /* elements of constants */
    const char **name;
    int64_t *whole;
    tl_onnx_setting *setting;
    tl_onnx_operation *operation;
    tl_onnx_initializer *initializer;
    tl_onnx_port *input, *output;
    tl_onnx_text *text;
    size_t names, wholes, settings, operations, initializers, inputs, outputs, texts;
    int64_t opset;      /* version of the standard operators */
    const char *digits; /* the digits of the checksum in the image of a file of tapline; NULL: none */
} tl_onnx_file;

/* Reads a file of at most `maximum` bytes, whose constants may take as many bytes again. Its contents are not trusted: all sizes
 * are compared with the number of bytes. Messages start with the path. Release it in any case. */
tl_status tl_onnx_file_read(tl_onnx_file *file, const char *path, size_t maximum, tl_error *error);
void tl_onnx_file_release(tl_onnx_file *file);

/* Fails because memory is short, or because the constants take more than the maximum. */
tl_status tl_onnx_out_of_memory(const tl_onnx_file *file, tl_error *error);

/* The attribute with this name; NULL if there is none. */
const tl_onnx_setting *tl_onnx_find(const tl_onnx_file *file, const tl_onnx_operation *operation, const char *name);

/* The metadata under this key; NULL if there is none. */
const char *tl_onnx_metadata(const tl_onnx_file *file, const char *key);

#endif
