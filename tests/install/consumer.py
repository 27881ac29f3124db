"""tapline without a C compiler: the library by ctypes, and the functions that are told how long configurations are."""
import ctypes, sys

tl = ctypes.CDLL(sys.argv[1])
Shape = type("Shape", (ctypes.Structure,), {"_fields_": [("length", ctypes.c_size_t), ("channels", ctypes.c_size_t)]})
Node = type("Node", (ctypes.Structure,), {"_fields_": [("id", ctypes.c_int)]})
tl.tl_model_new_sized.restype, tl.tl_input.restype, tl.tl_dense_sized.restype = ctypes.c_void_p, Node, Node
model = ctypes.c_void_p(tl.tl_model_new_sized(None, 0))
units = ctypes.c_size_t(2)  # the first field of tl_dense_cfg: the others are its defaults
output = tl.tl_dense_sized(model, tl.tl_input(model, Shape(1, 8)), ctypes.byref(units), ctypes.sizeof(units))
sys.exit(tl.tl_model_compile_sized(model, output, None, (ctypes.c_size_t * 2)(0, 0), None) or tl.tl_model_batch(model) != 32)
