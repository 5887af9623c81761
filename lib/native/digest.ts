import { addon } from './addon.js'

const { hashInput, hashOutput } = addon
const md5Output = hashOutput.subarray(0, 16)
const sha1Output = hashOutput.subarray(0, 20)

/** MD5 (16 bytes), which MS-PPGRH uses for record IDs and hash ranges. */
export function md5(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= hashInput.length) {
    hashInput.set(bytes)
    addon.md5(bytes.length)
  } else {
    addon.md5(bytes)
  }
  return md5Output.slice()
}

/** SHA-1 (20 bytes), which MS-PNRP uses for names, nonces and signatures. */
export function sha1(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= hashInput.length) {
    hashInput.set(bytes)
    addon.sha1(bytes.length)
  } else {
    addon.sha1(bytes)
  }
  return sha1Output.slice()
}

/** The first `length` bytes of the SHA-1 over the parts; together they have at most 4 KB. */
export function sha1OfParts(parts: readonly Uint8Array[], length: number): Uint8Array {
  let end = 0
  for (const part of parts) {
    hashInput.set(part, end)
    end += part.length
  }
  addon.sha1(end)
  return hashOutput.slice(0, length)
}

/** SHA-256 (32 bytes). */
export function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= hashInput.length) {
    hashInput.set(bytes)
    addon.sha256(bytes.length)
  } else {
    addon.sha256(bytes)
  }
  return hashOutput.slice()
}
