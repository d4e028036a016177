/**
 * How much metadata a file may have.
 *
 * A file is held against its own size, but a file of many gigabytes costs nothing to make (it may be sparse), and V8 ends the process where
 * its heap is full. What is allowed here fits: a large model's file has 20 MiB of metadata, a million strings and a thousand tensors.
 *
 * @module
 */

/** Bytes before the tensors' data. */
export const MAX_HEAD = 256 * 1024 * 1024;

/** Elements that arrays of strings and booleans have together: JavaScript has no compact array for them. */
export const MAX_ITEMS = 2 ** 24;

/** Keys. */
export const MAX_KEYS = 2 ** 20;

/** Tensors. */
export const MAX_TENSORS = 2 ** 18;
