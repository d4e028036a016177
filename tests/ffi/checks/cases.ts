/**
 * Calls with wrong arguments, by the C function that they call: what would end the process in C, or read what isn't there. Each must be an Error;
 * most are C's own assertions, some what is looked at before (`ffi/calls/checks/`).
 *
 * @module
 */

import { cases as allocation } from "./allocation_cases.ts";
import { cases as backend } from "./backend_cases.ts";
import { cases as gguf } from "./gguf_cases.ts";
import { cases as tensor } from "./tensor_cases.ts";
import { cases as training } from "./training_cases.ts";
import type { Case } from "./objects.ts";

/** The cases, by function. */
export const cases: Record<string, Case[]> = { ...tensor, ...gguf, ...backend, ...allocation, ...training };
