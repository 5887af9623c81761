// What the two graph oracles share.

export class Refused extends Error {}

export function refuseUnless(condition: boolean): asserts condition {
  if (!condition) throw new Refused()
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The part that starts at an offset; everything has to be inside. */
export function part(bytes: Uint8Array, at: number, length: number): Uint8Array {
  refuseUnless(at >= 0 && length >= 0 && at + length <= bytes.length)
  return bytes.slice(at, at + length)
}
