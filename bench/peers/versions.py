"""Prints, as JSON, which Python this is and which of the modules that the peers want it can import."""

import importlib
import json
import sys

assert sys.version_info >= (3, 9)
modules = {}
for name in "cffi", "numpy", "pycparser":
    try:
        modules[name] = importlib.import_module(name).__version__
    except ImportError:
        pass
version = ".".join(map(str, sys.version_info[:3]))
print(json.dumps({"executable": sys.executable, "version": version, "modules": modules}))
