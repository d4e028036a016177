/**
 * What the generated files are written against.
 *
 * @module
 */

// What tells the core and the trap of ggml's own ways.
import "./calls/changes.ts";
import "./calls/function_types.ts";
import "./calls/half_done.ts";
import "./calls/reasons.ts";
import "./calls/weights.ts";

export type { Abi } from "./load/abi.ts";
export {
  bool,
  type Data,
  data,
  dataOrNull,
  enumerator,
  float,
  format,
  handle,
  handleOrNull,
  int32,
  int64,
  type Pointers,
  pointers,
  pointersOrNull,
  small,
  smallUnsigned,
  string,
  stringOrNull,
  strings,
  stringsOrNull,
  struct,
  uint32,
  uint64,
} from "./core/arguments.ts";
export { type Asynchronous, asynchronous } from "./calls/async.ts";
export { type Bigints, bigints } from "./calls/bigints.ts";
export { binder } from "./calls/bind.ts";
export { type AnyFunction, Callback, type Signature } from "./core/callback.ts";
export { changed, exposed } from "./calls/changes.ts";
export { checks } from "./calls/checks/mod.ts";
export { cstringAt } from "./core/cstring.ts";
export { Domain } from "./core/domain.ts";
export { enterCall, leaveCall } from "./core/failure.ts";
export {
  expectLength,
  getArray,
  getHandle,
  getHandles,
  getRoot,
  getString,
  getStructs,
  getText,
  setArray,
  setHandle,
  setHandles,
  setList,
  setNumbers,
  setPointer,
  setPointers,
  setString,
  setStruct,
  setStructs,
  setText,
} from "./core/fields.ts";
export { Handle, keep, keepBetween, keepData, keepLatest, keepUntil, memory, UNSET, wrongHandle } from "./core/handle.ts";
export { fromInt64, fromUint64, readFour, readInt64, readUint64 } from "./core/integers.ts";
export { atLeast } from "./core/lengths.ts";
export { firstCalls } from "./core/warming.ts";
export { type Ending, Owner, STATIC } from "./core/owner.ts";
export { Pointer } from "./core/pointer.ts";
export { dispose } from "./core/ending.ts";
export { adaptable } from "./load/numbering.ts";
export { places, willPlace } from "./calls/placement.ts";
export {
  borrowed,
  created,
  createdFrom,
  createdPointer,
  createdStruct,
  expectGivable,
  forgetThrough,
  given,
  lent,
  release,
  releasePointer,
  releaseStruct,
  renew,
  taken,
} from "./core/roots.ts";
export {
  BOOL,
  DOUBLE,
  enumSlot,
  FLOAT,
  handleSlot,
  INT16,
  INT32,
  INT64,
  INT8,
  POINTER,
  type Slot,
  STRING,
  structSlot,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
  VOID,
} from "./core/slots.ts";
export { type Fields, type Init, Struct, type Structs, structs } from "./core/struct.ts";
export { caught, nullResult, trapped } from "./native/trap.ts";
