"""
The bindings from the headers, cffi's way, as regenerate.py of ggml's examples/python does it: regenerate_cffi.py API OUT TREE

gcc -E, the sizes that cffi can't compute asked of a compiled program, what pycparser can't read removed, cffi's module in ABI mode,
and a .pyi of the functions. The sibling compiles a program per size; here one asks them all. It keeps the system headers' declarations,
which glibc of today writes in ways that pycparser can't read; here only the tree's own are kept.
"""

import os
import re
import subprocess
import sys

import cffi
from pycparser import CParser, c_ast, c_generator

api, out, tree = sys.argv[1:]
CC = os.environ.get("CC") or "gcc"
SHIM = os.path.join(out, "shim")  # ggml-openvino.h includes a C++ header that it doesn't use
FLAGS = ["-w", "-I", f"{tree}/ggml/include", "-I", f"{tree}/include", "-I", SHIM]
PLAIN = ["-D__attribute__(x)=", "-D_Static_assert(x, m)=", "-D__restrict="]
STANDARD = "bool", "size_t", "FILE", *(f"{u}int{n}_t" for u in ("", "u") for n in (8, 16, 32, 64))


def preprocess():
    """The headers' own declarations after gcc -E."""
    text = subprocess.run([CC, "-E", *FLAGS, *PLAIN, "-x", "c", api], capture_output=True, text=True, check=True).stdout
    lines, kept = [], False
    for line in text.split("\n"):
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            kept = marker[1].startswith(tree)
        elif kept and not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines).replace("_Bool", "bool")


def evaluate(text):
    """Replaces sizes by their values."""
    sizes = set(re.findall(r"(?<=\[)[^\]]+(?=])|sizeof\s*\([^()]+\)", text))
    sizes = [size for size in sizes if not re.match(r"^\s*\d*\s*$", size)]
    prints = "".join(f'printf("%zu\\n", (size_t)({size}));' for size in sizes)
    program = f'#include <stdio.h>\n#include "{os.path.abspath(api)}"\nint main(void) {{ {prints} }}'
    asker = os.path.join(out, "sizes")
    subprocess.run([CC, *FLAGS, "-o", asker, "-x", "c", "-"], text=True, check=True, input=program)
    values = subprocess.run([asker], capture_output=True, text=True, check=True).stdout.split()
    for size, value in zip(sizes, values):
        text = text.replace(size, value)
    return text


def stubs(text):
    """Type stubs of the functions."""
    prelude = "".join(f"typedef int {name};" for name in STANDARD)
    generator = c_generator.CGenerator()
    lines = ["class lib:"]
    for node in CParser().parse(prelude + text).ext:
        if not isinstance(node, c_ast.Decl) or not isinstance(node.type, c_ast.FuncDecl):
            continue
        parameters = [p.name or "_" for p in node.type.args.params if not isinstance(p, c_ast.EllipsisParam)] if node.type.args else []
        lines += [f"  @staticmethod\n  def {node.name}({', '.join(parameters)}):", f'    """{generator.visit(node)}"""', "    ..."]
    return len(lines) // 3, "\n".join(lines)


os.makedirs(SHIM, exist_ok=True)
open(os.path.join(SHIM, "cstring"), "w").close()
header = evaluate(preprocess())
builder = cffi.FFI()
builder.cdef(header, override=True)  # headers repeat each other's typedefs
builder.set_source("ggml_regenerated", None)
builder.emit_python_code(os.path.join(out, "ggml_regenerated.py"))
count, text = stubs(header)
with open(os.path.join(out, "ggml_regenerated.pyi"), "w") as file:
    file.write(text)
print(f"{count} functions")
