/** A little of the fuzz of ggml's objects. */

import { fuzzes } from "./fuzzes.ts";

fuzzes("ggml", 2000);
