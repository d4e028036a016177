"""Makes ggml_cffi.py, cffi's out-of-line module in ABI mode, from declarations: build_cffi.py DECLARATIONS FOLDER"""

import os
import sys

import cffi

declarations, folder = sys.argv[1:]
with open(declarations) as file:
    text = file.read()
ffi = cffi.FFI()
ffi.cdef(text)
ffi.set_source("ggml_cffi", None)
ffi.emit_python_code(os.path.join(folder, "ggml_cffi.py"))
