"""What every program in Python here needs: the library in the way that its arguments say, and how it reports what it measured."""

import importlib
import json
import sys


def arguments():
    """`SCRIPT cffi MODULE_FOLDER LIBRARY …` or `SCRIPT ctypes DUMP LIBRARY …`: the library, and the arguments that follow."""
    way, where, path, *rest = sys.argv[1:]
    return importlib.import_module(f"through_{way}").Through(where, path), rest


def report(ns, answer):
    """Prints a measurement as ../rounds.ts reads it."""
    print(json.dumps({"ns": ns, "answer": answer}))
