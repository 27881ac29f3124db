/* onnx.h: the field numbers and constants of ONNX's schema (onnx.proto) that tapline uses. */
#ifndef TL_ONNX_H
#define TL_ONNX_H

/* ModelProto */
enum {
    TL_ONNX_IR_VERSION = 1,
    TL_ONNX_PRODUCER = 2,
    TL_ONNX_PRODUCER_VERSION = 3,
    TL_ONNX_GRAPH = 7,
    TL_ONNX_OPSET = 8,
    TL_ONNX_METADATA = 14
};
/* OperatorSetIdProto, StringStringEntryProto */
enum { TL_ONNX_OPSET_DOMAIN = 1, TL_ONNX_OPSET_VERSION = 2, TL_ONNX_KEY = 1, TL_ONNX_VALUE = 2 };
/* GraphProto */
enum { TL_ONNX_NODE = 1, TL_ONNX_GRAPH_NAME = 2, TL_ONNX_INITIALIZER = 5, TL_ONNX_GRAPH_INPUT = 11, TL_ONNX_GRAPH_OUTPUT = 12 };
/* NodeProto */
enum {
    TL_ONNX_NODE_INPUT = 1,
    TL_ONNX_NODE_OUTPUT = 2,
    TL_ONNX_NODE_NAME = 3,
    TL_ONNX_NODE_OPERATOR = 4,
    TL_ONNX_ATTRIBUTE = 5,
    TL_ONNX_NODE_DOMAIN = 7
};
/* AttributeProto, and its types */
enum {
    TL_ONNX_ATTRIBUTE_NAME = 1,
    TL_ONNX_F = 2,
    TL_ONNX_I = 3,
    TL_ONNX_S = 4,
    TL_ONNX_T = 5,
    TL_ONNX_INTS = 8,
    TL_ONNX_ATTRIBUTE_TYPE = 20
};
enum { TL_ONNX_TYPE_FLOAT = 1, TL_ONNX_TYPE_INT = 2, TL_ONNX_TYPE_STRING = 3, TL_ONNX_TYPE_INTS = 7 };
/* TensorProto, and its types of elements */
enum {
    TL_ONNX_DIMS = 1,
    TL_ONNX_DATA_TYPE = 2,
    TL_ONNX_FLOAT_DATA = 4,
    TL_ONNX_INT32_DATA = 5,
    TL_ONNX_INT64_DATA = 7,
    TL_ONNX_TENSOR_NAME = 8,
    TL_ONNX_RAW_DATA = 9,
    TL_ONNX_DOUBLE_DATA = 10,
    TL_ONNX_EXTERNAL_DATA = 13,
    TL_ONNX_DATA_LOCATION = 14
};
enum { TL_ONNX_FLOAT = 1, TL_ONNX_INT32 = 6, TL_ONNX_INT64 = 7, TL_ONNX_BOOL = 9, TL_ONNX_FLOAT16 = 10, TL_ONNX_DOUBLE = 11 };
/* ValueInfoProto, TypeProto, its tensor, TensorShapeProto, its dimensions */
enum {
    TL_ONNX_INFO_NAME = 1,
    TL_ONNX_INFO_TYPE = 2,
    TL_ONNX_TENSOR_TYPE = 1,
    TL_ONNX_ELEMENT_TYPE = 1,
    TL_ONNX_SHAPE = 2,
    TL_ONNX_DIM = 1,
    TL_ONNX_DIM_VALUE = 1,
    TL_ONNX_DIM_PARAM = 2
};

#endif
