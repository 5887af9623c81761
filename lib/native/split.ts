import { addon } from './addon.js'

/** The native reassembly (native/binding/split.cc), over the arrays of codec.ts. */
export const { splitBytes, splitInit, splitAccept, splitDrop, splitClear } = addon
