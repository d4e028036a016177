"""ggml through ctypes, from a dump of its headers (`lexer/cli.ts dump`): functions are declared when they are first used."""

import ctypes
import json

NUMBERS = {
    "void": None,
    "_Bool": ctypes.c_bool,
    "int": ctypes.c_int,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64,
    "size_t": ctypes.c_size_t,
    "float": ctypes.c_float,
    "char": ctypes.c_char,
}


class Library:
    """`lib.ggml_add(…)`. Handles are `c_void_p`, the fastest that ctypes has."""

    def __init__(self, path, dump):
        with open(dump) as file:
            model = json.load(file)
        self._library = ctypes.CDLL(path)
        self._functions = {function["name"]: function for function in model["functions"]}
        self._records = {record["name"]: record for record in model["records"] if record["name"]}
        self._typedefs = {typedef["name"]: typedef["type"] for typedef in model["typedefs"]}
        self._structs = {}

    def __getattr__(self, name):
        declared = self._functions[name]
        function = getattr(self._library, name)
        function.argtypes = [self.type_of(parameter["type"]) for parameter in declared["parameters"]]
        function.restype = self.type_of(declared["result"])
        setattr(self, name, function)
        return function

    def type_of(self, text):
        """The ctypes type of a C type."""
        text = text.removeprefix("const ")
        if text.endswith("]"):
            item, _, length = text[:-1].partition("[")
            return self.type_of(item) * int(length)
        if text.endswith("*") or "(*)" in text:
            return ctypes.c_void_p
        if text.startswith("enum "):
            return ctypes.c_int
        if text.startswith("struct "):
            return self.struct(text.removeprefix("struct "))
        return NUMBERS[text] if text in NUMBERS else self.type_of(self._typedefs[text])

    def struct(self, name):
        """The Structure class of a C struct."""
        if name not in self._structs:
            fields = [(field["name"], self.type_of(field["type"])) for field in self._records[name]["fields"]]
            self._structs[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
        return self._structs[name]


class Through:
    null = None

    def __init__(self, dump, path):
        self.lib = Library(path, dump)

    def init(self, size, no_alloc=False):
        return self.lib.ggml_init(self.lib.struct("ggml_init_params")(size, None, no_alloc))

    def fields(self, tensor):
        """What a tensor's fields are attributes of."""
        return self.lib.struct("ggml_tensor").from_address(tensor)

    def buffer(self, address, size):
        return (ctypes.c_ubyte * size).from_address(address)

    def pointer(self, array):
        """A numpy array's numbers, for C."""
        return array.ctypes.data

    def to_float(self, type):
        traits = self.lib.struct("ggml_type_traits").from_address(self.lib.ggml_get_type_traits(type))
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(traits.to_float)
