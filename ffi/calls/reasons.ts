/**
 * Reasons: what more than C's own words can be said of a failure, from what the call was given.
 *
 * @module
 */

import { at } from "../core/at.ts";
import type { Handle } from "../core/handle.ts";
import { ABI } from "../generated/layouts.js";
import type { Library } from "../load/files.ts";
import { nodeText, operationAt, operationText, slotsAt, sourcesText, tensorText } from "../load/tensor_text.ts";
import { type Arguments, reasons, tellTensors, tensorsOf, type Trap } from "../native/trap.ts";
import { behind, nodesOf } from "./graph_nodes.ts";
import { orderAround } from "./rearranged.ts";

/** Where an object had no room in a context's memory, which C asserts or finds by a null pointer: how much of that is used. */
function isFull(library: Library, call: string, trap: Trap, args: Arguments): string {
  const isFull = trap.text.endsWith("GGML_ASSERT(obj_new) failed"), { ctx } = args;
  if (!(isFull || trap.kind === "null pointer") || ctx?.constructor?.name !== "ggml_context") return "";
  if (leadsNowhere(library, call, trap, args) !== "") return "";
  const ask = (name: string) => at(library.address(name)!, ["u64"], "u64")((ctx as Handle).address);
  const graph = call === "ggml_new_graph" ? at(library.address("ggml_graph_overhead")!, [], "u64")() : 0n;
  const takes = graph === 0n ? "" : `, and a graph takes ${graph}: ggml_new_graph_custom makes smaller ones`;
  const used = `${ask("ggml_used_mem")} of ${ask("ggml_get_mem_size")} bytes are used`;
  return `the context's memory ${isFull ? "is" : "may be"} full: ${used}${takes}`;
}

/** Where the memory of a tensor is of a kind that C can't read again, or takes whole tensors of some types into only: which that is. */
function isOneWay(_library: Library, _call: string, { kind, text }: Trap, args: Arguments): string {
  if (kind !== "null pointer" && !text.endsWith("size == ggml_nbytes(tensor)) failed")) return "";
  for (const [name, address] of tensorsOf(args)) {
    const kind = orderAround(address);
    if (kind !== "") return `${name} is in a buffer of ${kind}, which takes whole tensors that it has kernels for, and gives none back`;
  }
  return "";
}

/** Where C has no gradient of a unary operation, which it writes to stderr and not into its message: which of them there are. */
function hasNoGradient(library: Library, call: string, { text }: Trap, args: Arguments): string {
  if (!text.endsWith(": fatal error")) return "";
  const [where, nodes] = differentiated(library, call, args);
  const { GGML_OP_UNARY } = ABI.enums.ggml_op;
  const names = new Set([...nodes].filter((node) => operationAt(node) === GGML_OP_UNARY).map((node) => operationText(library, node)));
  return names.size === 0 ? "" : `C has no gradient of a unary operation in ${where}, which has ${[...names].join(", ")}`;
}

/** Where C has no gradient of one of an operation's sources, and compares a shape with that: which source it is. */
function leadsNowhere(library: Library, call: string, { kind }: Trap, { cgraph }: Arguments): string {
  if (kind !== "null pointer" || call !== "ggml_build_backward_expand") return "";
  const { address } = cgraph as Handle, gradientOf = at(library.address("ggml_graph_get_grad")!, ["u64", "u64"], "u64");
  const hasGradient = (tensor: bigint) => gradientOf(address, tensor) !== 0n;
  for (const node of nodesOf(address).toReversed().filter(hasGradient)) { // as C goes, which wrote those of the later ones
    const source = slotsAt(node).findIndex((source) => source !== 0n && !hasGradient(source) && [...behind(source)].some(isParameter));
    if (source >= 0) return `C has no gradient of src[${source}] of a node of cgraph, ${nodeText(library, node)}`;
  }
  return "";
}

function isParameter(tensor: bigint): boolean {
  const flags = new Deno.UnsafePointerView(Deno.UnsafePointer.create(tensor)!).getInt32(ABI.records.ggml_tensor.fields.flags);
  return (flags & ABI.enums.ggml_tensor_flag.GGML_TENSOR_FLAG_PARAM) !== 0;
}

/** The tensors that a call has C write gradients of, and what the caller knows them by; none for other calls. */
function differentiated(library: Library, call: string, { cgraph, params, outputs, opt_ctx }: Arguments): [string, Iterable<bigint>] {
  switch (call) {
    case "ggml_build_backward_expand":
      return ["cgraph", cgraph === undefined ? [] : nodesOf((cgraph as Handle).address)];
    case "ggml_opt_init":
      return ["params.outputs", behind((params as { readonly outputs: Handle | null }).outputs?.address ?? 0n)];
    case "ggml_opt_fit":
      return ["outputs", behind((outputs as Handle).address)];
    case "ggml_opt_alloc":
      return ["its outputs", behind(at(library.address("ggml_opt_outputs")!, ["u64"], "u64")((opt_ctx as Handle).address))];
    default:
      return ["", []];
  }
}

/** Where C was writing a file, which it opens before it looks at what there is to write: what becomes of that. */
function isHalfWritten(_: Library, call: string, { kind }: Trap): string {
  const lost = "the file has what was written by then, and lost what it had";
  if (call === "gguf_write_to_file") return lost;
  if (call !== "llama_model_save_to_file" || kind !== "null pointer") return "";
  return `the model may have weights in an order of the processor's own, which are not given back: load it with use_extra_bufts = false; ${lost}`;
}

reasons.push(isFull, isOneWay, hasNoGradient, leadsNowhere, isHalfWritten);
tellTensors({ node: nodeText, sources: sourcesText, tensor: tensorText });
