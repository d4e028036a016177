/**
 * What the generated files are written against.
 *
 * @module
 */

export type { Abi } from "./abi.ts";
export {
  bool,
  type Data,
  data,
  dataOrNull,
  enumerator,
  flags,
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
} from "./arguments.ts";
export { type Asynchronous, asynchronous } from "./async.ts";
export { type Bind, binder } from "./bind.ts";
export { type AnyFunction, Callback, type Signature } from "./callback.ts";
export { changed, exposed } from "./changes.ts";
export { checks } from "./checks/mod.ts";
export { cstringAt } from "./cstring.ts";
export { Domain } from "./domain.ts";
export { enterCall, leaveCall } from "./failure.ts";
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
} from "./fields.ts";
export { Handle, keep, keepBetween, keepData, keepLatest, keepUntil, memory, Pointer, wrongHandle } from "./handle.ts";
export { fromInt64, fromUint64, readFour, readInt64, readUint64 } from "./integers.ts";
export { atLeast } from "./lengths.ts";
export { type Ending, Owner, STATIC } from "./owner.ts";
export { places, willPlace } from "./placement.ts";
export {
  borrowed,
  created,
  createdFrom,
  createdPointer,
  createdStruct,
  dispose,
  expectGivable,
  forgetThrough,
  given,
  lent,
  release,
  releasePointer,
  releaseStruct,
  renew,
  taken,
} from "./roots.ts";
export {
  BOOL,
  DOUBLE,
  enumSlot,
  flagsSlot,
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
} from "./slots.ts";
export { type Fields, type Init, Struct, type Structs, structs } from "./struct.ts";
export { caught, nullResult, trapped } from "./trap.ts";
