"""ggml through cffi, out of line and in ABI mode as ggml's examples/python does."""

import sys


class Through:
    def __init__(self, folder, path):
        sys.path.insert(0, folder)
        from ggml_cffi import ffi  # made by build_cffi.py

        self._ffi = ffi
        self.lib = ffi.dlopen(path)
        self.null = ffi.NULL

    def init(self, size, no_alloc=False):
        params = self._ffi.new("struct ggml_init_params *")
        params.mem_size, params.no_alloc = size, no_alloc
        return self.lib.ggml_init(params[0])

    def fields(self, tensor):
        """What a tensor's fields are attributes of."""
        return tensor

    def buffer(self, address, size):
        return self._ffi.buffer(address, size)

    def pointer(self, array):
        """A numpy array's numbers, for C."""
        return self._ffi.from_buffer("float *", array)

    def to_float(self, type):
        return self.lib.ggml_get_type_traits(type).to_float
