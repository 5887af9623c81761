/**
 * The codec of MS-PNRP 2.2, over the native core: one function each way for every message and
 * structure. Decoders never throw; they return the object or `Malformed`. Encoders throw
 * PeernetError ERR_PEERNET_INVALID_ARG when an object breaks a limit of its format.
 */
export { isUsablePort } from './fields.js'
export type { EncodeOptions, Malformed } from './fields.js'
export { decodeMessage, messageTypeOf } from './decode-message.js'
export type { DecodedMessage } from './decode-message.js'
export { encodeAnswer, encodeMessage, splitAuthority } from './encode-message.js'
export { decodeAuthorityBuffer, encodeAuthorityBuffer } from './authority-buffer.js'
export type { DecodedAuthorityBuffer } from './authority-buffer.js'
export { decodeCpa, encodeCpa, renewedCpa } from './cpa.js'
export type { DecodeCpaOptions, DecodedCpa, EncodeCpaOptions, RevokeNonce } from './cpa.js'
export { decodeExtendedPayload, encodeExtendedPayload } from './extended-payload.js'
export type { DecodedExtendedPayload } from './extended-payload.js'
export { Reassembler } from './reassembler.js'
export type { FragmentDrop, Reassembly, ReassemblerOptions } from './reassembler.js'
