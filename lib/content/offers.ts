import { checkArgument, PeernetError } from '../core/errors.js'
import { nativeCode } from '../native/codes.js'
import { offerDecode, offerEncode, offerRow, OfferRow as Row } from '../native/content-codec.js'
import type { Malformed } from '../wire/fields.js'
import { parseOfferedInfo, type ParsedContentInfo } from './read-info.js'

/** MS-PCHC: what clients offer to a hosted cache, and its answers. */

/** 1.9: where offers are POSTed. Version 1 goes over HTTPS, version 2 over HTTP. */
export const OFFER_PATH = {
  1: '/C574AC30-5794-4AEE-B1BB-6651C5315029',
  2: '/0131501b-d67f-491b-9a40-c4bf27bcb4d4',
} as const

/** 2.2.1.5: one segment of a batch. */
export interface OfferedSegment {
  /** DA-25: the segment's length in version 2, 65,536 in version 1. */
  readonly blockBytes: number
  readonly segmentBytes: number
  /** 16 bytes; see contentTag. */
  readonly tag: Uint8Array
  /** Version of the content information that the segment is from. */
  readonly version: 1 | 2
  readonly segmentId: Uint8Array
}

/** 2.2.1. `port`: where the client serves what it offers. */
export type Offer = { readonly port: number } & (
  | { readonly type: 'initial'; readonly segmentId: Uint8Array }
  | {
      readonly type: 'segment-info'
      readonly tag: Uint8Array
      /** Content information of version 1 with one segment; see parseOfferedInfo. */
      readonly info: Uint8Array
    }
  | { readonly type: 'batched'; readonly segments: readonly OfferedSegment[] }
)

/** What a server gets: the content information inside is read as well, but may be bad (DA-28). */
export type ReceivedOffer = Offer & { readonly parsed?: ParsedContentInfo }
export type DecodedOffer = { readonly ok: true; readonly offer: ReceivedOffer } | Malformed

const TYPES = ['initial', 'segment-info', 'batched'] as const
const DESCRIPTOR = 59
const word = (index: number): number => offerRow[index] as number

/** The body of a POST. Byte fields are views. */
export function decodeOffer(bytes: Uint8Array): DecodedOffer {
  const result = offerDecode(bytes)
  if (result !== 0) return { ok: false, code: nativeCode(-result), offset: word(Row.AT) }
  const port = word(Row.PORT)
  const type = TYPES[word(Row.TYPE) - 1]
  const view = (at: number, length: number): Uint8Array => bytes.subarray(at, at + length)
  if (type === 'initial') {
    const segmentId = view(word(Row.ID), word(Row.ID_LENGTH))
    return { ok: true, offer: { type, port, segmentId } }
  }
  if (type === 'segment-info') {
    const info = view(word(Row.INFO), word(Row.INFO_LENGTH))
    const tag = view(word(Row.TAG), 16)
    return { ok: true, offer: { type, port, tag, info, parsed: parseOfferedInfo(info) } }
  }
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const first = word(Row.DESCRIPTORS)
  const segments = Array.from({ length: word(Row.DESCRIPTOR_COUNT) }, (_, i): OfferedSegment => {
    const at = first + i * DESCRIPTOR
    return {
      blockBytes: data.getUint32(at),
      segmentBytes: data.getUint32(at + 4),
      tag: view(at + 10, 16),
      version: data.getUint8(at + 26) === 1 ? 1 : 2,
      segmentId: view(at + 27, 32),
    }
  })
  return { ok: true, offer: { type: 'batched', port, segments } }
}

/** Throws ERR_PEERNET_INVALID_ARG for fields that make no offer. */
export function encodeOffer(offer: Offer): Uint8Array {
  checkArgument(Number.isInteger(offer.port) && offer.port >= 0 && offer.port < 65_536, 'no port')
  const source = fieldsOf(offer)
  offerRow.fill(0)
  offerRow[Row.MAJOR] = offer.type === 'batched' ? 2 : 1
  offerRow[Row.TYPE] = TYPES.indexOf(offer.type) + 1
  offerRow[Row.PORT] = offer.port
  if (offer.type === 'initial') {
    offerRow[Row.ID_LENGTH] = source.length
  } else if (offer.type === 'segment-info') {
    offerRow[Row.INFO] = 16
    offerRow[Row.INFO_LENGTH] = source.length - 16
  } else {
    offerRow[Row.DESCRIPTOR_COUNT] = offer.segments.length
  }
  const out = new Uint8Array(16 + source.length)
  const result = offerEncode(source, out)
  if (result === out.length) return out
  throw new PeernetError('ERR_PEERNET_INVALID_ARG', `this makes no offer (${nativeCode(-result)})`)
}

function fieldsOf(offer: Offer): Uint8Array {
  if (offer.type === 'initial') {
    checkArgument([32, 48, 64].includes(offer.segmentId.length), 'an ID has 32, 48 or 64 bytes')
    return offer.segmentId
  }
  if (offer.type === 'segment-info') {
    checkArgument(offer.tag.length === 16, 'a content tag has 16 bytes')
    checkArgument(offer.info.length <= 65_536, 'content information of one segment is wanted')
    const out = new Uint8Array(16 + offer.info.length)
    out.set(offer.tag)
    out.set(offer.info, 16)
    return out
  }
  const { segments } = offer
  checkArgument(segments.length >= 1 && segments.length <= 128, 'a batch has 1 to 128 segments')
  const out = new Uint8Array(segments.length * DESCRIPTOR)
  const view = new DataView(out.buffer)
  segments.forEach((segment, i) => {
    const { blockBytes, segmentBytes, tag, version, segmentId } = segment
    checkArgument(tag.length === 16 && segmentId.length === 32, 'a tag of 16, an ID of 32 bytes')
    const at = i * DESCRIPTOR
    view.setUint32(at, blockBytes)
    view.setUint32(at + 4, segmentBytes)
    view.setUint16(at + 8, 16)
    out.set(tag, at + 10)
    view.setUint8(at + 26, version === 1 ? 1 : 4)
    out.set(segmentId, at + 27)
  })
  return out
}

/** DA-26: a short ASCII name, such as `WebIO`, filled up with zeros to 16 bytes. */
export function contentTag(name: string): Uint8Array {
  const out = new Uint8Array(16)
  checkArgument(/^[\x20-\x7e]{1,16}$/.test(name), 'a content tag is 1 to 16 ASCII characters')
  for (let i = 0; i < name.length; i++) out[i] = name.charCodeAt(i)
  return out
}

/** 2.2.2.2: what a hosted cache answers; INTERESTED asks for the segment's information. */
export type OfferAnswer = 'ok' | 'interested'

export function encodeOfferAnswer(answer: OfferAnswer): Uint8Array {
  return Uint8Array.of(0, 0, 0, 1, answer === 'ok' ? 0 : 1)
}

/** Undefined for bytes that are no answer, among them INTERESTED where only OK is allowed. */
export function decodeOfferAnswer(bytes: Uint8Array, to: Offer['type']): OfferAnswer | undefined {
  const isAnswer =
    bytes.length === 5 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 1
  if (!isAnswer) return undefined
  if (bytes[4] === 0) return 'ok'
  return bytes[4] === 1 && to === 'initial' ? 'interested' : undefined
}
