"""Prints what the gguf package of PyPI reads in each of the files: a line of JSON a file, whole numbers as text, floats as the bits of a double."""

import json
import struct
import sys

from gguf import GGUFReader, GGUFValueType

NAMES = {
    "UINT8": "u8", "INT8": "i8", "UINT16": "u16", "INT16": "i16", "UINT32": "u32", "INT32": "i32",
    "UINT64": "u64", "INT64": "i64", "FLOAT32": "f32", "FLOAT64": "f64", "BOOL": "bool", "STRING": "str",
}


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    return struct.pack(">d", value).hex()


def field(f):
    name = NAMES[f.types[-1].name] if f.types[-1] != GGUFValueType.ARRAY else "empty"
    return [name + ("[]" if len(f.types) > 1 or name == "empty" else ""), plain(f.contents() if name != "empty" else [])]


for path in sys.argv[1:]:
    reader = GGUFReader(path)
    keys = {name: field(f) for name, f in reader.fields.items() if not name.startswith("GGUF.")}
    tensors = [
        [t.name, int(t.tensor_type), [int(n) for n in t.shape], int(t.data_offset), int(t.n_bytes), bytes(t.data.tobytes()).hex()]
        for t in reader.tensors
    ]
    print(json.dumps({"keys": list(keys.items()), "tensors": tensors}))
