/**
 * What there is to say of tensors, graphs, contexts and devices without drawing them.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { timesOf } from "../computing/times.ts";
import { bufferOf } from "../copying/operand.ts";
import { typeInfo } from "../copying/types.ts";

/** Operations that compute nothing: their results are views of their first source. */
const VIEWS: ReadonlySet<number> = new Set([lib.GGML_OP_RESHAPE, lib.GGML_OP_VIEW, lib.GGML_OP_PERMUTE, lib.GGML_OP_TRANSPOSE]);

/** True for a reshaped, permuted, transposed or cut out tensor. */
export function isView({ op }: lib.ggml_tensor): boolean {
  return VIEWS.has(op);
}

/** A tensor's dimensions in ggml's order, without the ones at the end. */
export function dimensionsOf({ ne }: lib.ggml_tensor): number[] {
  const dimensions = [...ne];
  while (dimensions.length > 1 && dimensions.at(-1) === 1) dimensions.pop();
  return dimensions;
}

/** Type and dimensions: `f32 ne=[64, 2]`. */
export function typeAndDimensions(tensor: lib.ggml_tensor): string {
  return `${typeName(tensor.type)} ne=[${dimensionsOf(tensor).join(", ")}]`;
}

/** The name of a type, also of one that the library hasn't got. */
export function typeName(type: number): string {
  try {
    return typeInfo(type).name;
  } catch {
    return `type ${type}`;
  }
}

/** What a tensor is called in text: by its name or, having none, its operation. */
export function nameOf(tensor: lib.ggml_tensor): string {
  return tensor.name || lib.ggml_op_desc(tensor);
}

/** Where a tensor's numbers are. */
export function placeOf(tensor: lib.ggml_tensor): string {
  const buffer = bufferOf(tensor);
  const memory = tensor.data === null
    ? "none yet"
    : buffer === null
    ? "the context's memory"
    : `buffer ${lib.ggml_backend_buffer_name(buffer)}`;
  return tensor.view_src === null ? memory : `${memory}, as a view of ${nameOf(tensor.view_src)}`;
}

const FLAGS = {
  input: lib.GGML_TENSOR_FLAG_INPUT,
  output: lib.GGML_TENSOR_FLAG_OUTPUT,
  parameter: lib.GGML_TENSOR_FLAG_PARAM,
  loss: lib.GGML_TENSOR_FLAG_LOSS,
};

/** What a tensor was set to be: an input, an output, a parameter, a loss. */
export function rolesOf({ flags }: lib.ggml_tensor): string[] {
  return Object.entries(FLAGS).filter(([, flag]) => (flags & flag) !== 0).map(([role]) => role);
}

/** A graph's tensors. */
export interface GraphModel {
  readonly nodes: readonly lib.ggml_tensor[];
  /** What the nodes read that is none of them, in the order in which it is first read. */
  readonly leafs: readonly lib.ggml_tensor[];
  /** The sources of each node. */
  readonly sources: readonly (readonly lib.ggml_tensor[])[];
  /** The index of each node, by its address. */
  readonly indices: ReadonlyMap<bigint, number>;
  /** The milliseconds that each node took; null if that was not measured. */
  readonly times: Float64Array | null;
  /** The sum of the times. */
  readonly total: number;
}

export function readGraph(graph: lib.ggml_cgraph): GraphModel {
  const nodes = Array.from({ length: lib.ggml_graph_n_nodes(graph) }, (_, i) => lib.ggml_graph_node(graph, i));
  const indices = new Map(nodes.map(({ address }, i) => [address, i]));
  const sources = nodes.map(({ src }) => src.filter((source) => source !== null));
  const leafs = new Map(sources.flat().filter(({ address }) => !indices.has(address)).map((leaf) => [leaf.address, leaf]));
  const times = timesOf(graph);
  return { nodes, leafs: [...leafs.values()], sources, indices, times, total: times?.reduce((sum, ms) => sum + ms, 0) ?? 0 };
}

/** A context's memory, in bytes. */
export interface ContextMemory {
  readonly size: number;
  readonly used: number;
  /** True if its tensors get their data elsewhere. */
  readonly noAlloc: boolean;
  /** The tensors in the order in which they were made. */
  readonly tensors: readonly TensorMemory[];
  /** What is used by graphs, and by other objects that are no tensors. */
  readonly rest: number;
  /** The bytes of the tensors' data that lie in backends' buffers. */
  readonly elsewhere: number;
}

/** The part of a context's memory that one tensor has. */
export interface TensorMemory {
  readonly tensor: lib.ggml_tensor;
  /** With what ggml keeps about it. */
  readonly bytes: number;
}

export function readContext(ctx: lib.ggml_context): ContextMemory {
  const size = lib.ggml_get_mem_size(ctx), used = lib.ggml_used_mem(ctx), noAlloc = lib.ggml_get_no_alloc(ctx);
  const overhead = lib.ggml_tensor_overhead(), align = lib.GGML_MEM_ALIGN;
  const tensors: TensorMemory[] = [];
  let sum = 0, elsewhere = 0;
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) {
    const isHere = tensor.view_src === null && liesAfter(tensor);
    const data = isHere || (tensor.view_src === null && bufferOf(tensor) !== null) ? lib.ggml_nbytes(tensor) : 0;
    const bytes = overhead + (isHere ? Math.ceil(data / align) * align : 0);
    if (!isHere) elsewhere += data;
    tensors.push({ tensor, bytes });
    sum += bytes;
  }
  return { size, used, noAlloc, tensors, rest: Math.max(0, used - sum), elsewhere };
}

/** True if a tensor's data follow it in the context's memory, where ggml puts them unless told otherwise. */
function liesAfter({ data, address, constructor }: lib.ggml_tensor): boolean {
  return data !== null && data.address === address + BigInt((constructor as typeof lib.ggml_tensor).size);
}

export interface DeviceFacts {
  readonly name: string;
  readonly description: string;
  /** `CPU`, `GPU`, … */
  readonly type: string;
  /** Bytes. Both are 0 where the device doesn't say. */
  readonly memory: { readonly free: number; readonly total: number };
  /** Its address on the bus; null where it has none. */
  readonly id: string | null;
  /** The library that it belongs to. */
  readonly backend: string;
  /** What it can: `async`, `events`, … */
  readonly capabilities: readonly string[];
  /** What the library was built for or found, such as the processor's instructions: name and value. */
  readonly features: readonly (readonly [name: string, value: string])[];
}

/** Asks a device. */
export function readDevice(device: lib.ggml_backend_device): DeviceFacts {
  const props = new lib.ggml_backend_dev_props();
  lib.ggml_backend_dev_get_props(device, props);
  const { caps, memory_free: free, memory_total: total } = props;
  const reg = lib.ggml_backend_dev_backend_reg(device);
  return {
    name: lib.ggml_backend_dev_name(device),
    description: lib.ggml_backend_dev_description(device).trim(),
    type: typeOf(props.type),
    memory: { free, total },
    id: props.device_id,
    backend: reg === null ? "" : lib.ggml_backend_reg_name(reg),
    capabilities: CAPABILITIES.filter((name) => (caps as unknown as Record<string, unknown>)[name] === true).map((name) =>
      name.replaceAll("_", " ")
    ),
    features: reg === null ? [] : featuresOf(reg),
  };
}

const CAPABILITIES = ["async", "host_buffer", "buffer_from_host_ptr", "events", "mmap_support"] as const;

function typeOf(type: number): string {
  const prefix = "GGML_BACKEND_DEVICE_TYPE_";
  const found = Object.keys(lib).find((name) => name.startsWith(prefix) && lib[name as keyof typeof lib] === type);
  return found?.slice(prefix.length) ?? `type ${type}`;
}

/** What `ggml_backend_get_features` of a backend's library says; nothing if it hasn't got that function. */
function featuresOf(reg: lib.ggml_backend_reg): [string, string][] {
  const found = lib.ggml_backend_reg_get_proc_address(reg, "ggml_backend_get_features");
  if (found === null) return [];
  const getFeatures = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(found.address)!, { parameters: ["pointer"], result: "pointer" });
  const first = lib.ggml_backend_feature.from(getFeatures.call(reg.pointer));
  const features: [string, string][] = [];
  for (let i = 0; first !== null; i++) {
    const { name, value } = first.at(i);
    if (name === null) break;
    features.push([name, value ?? ""]);
  }
  return features;
}
