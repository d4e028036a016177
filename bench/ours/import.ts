// Imports what `lib` and the utilities are made of: deno run --allow-ffi bench/ours/import.ts

import "@ggml/deno";
import "@ggml/deno/utils";
