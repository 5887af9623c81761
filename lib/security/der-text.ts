import { der, MalformedDer, Tag, type DerReader } from './der.js'

/**
 * Unicode text and times in DER. A string here is a sequence of UTF-16 code units; unpaired
 * surrogates, which classifiers may hold, survive UniversalString and BMPString both ways.
 */

/** UTF-32BE. */
export function universalString(text: string): Uint8Array {
  const points = Array.from(text, (character) => character.codePointAt(0) as number)
  const bytes = Buffer.alloc(points.length * 4)
  points.forEach((point, i) => bytes.writeUInt32BE(point, i * 4))
  return der(Tag.UNIVERSAL_STRING, bytes)
}

/** UTF-16BE code units. */
export function bmpString(text: string): Uint8Array {
  return der(Tag.BMP_STRING, Buffer.from(text, 'utf16le').swap16())
}

/** Reads UniversalString, BMPString or UTF8String (N-48). */
export function readUnicode(reader: DerReader): string {
  switch (reader.nextTag) {
    case Tag.UNIVERSAL_STRING:
      return fromUtf32(reader.content(Tag.UNIVERSAL_STRING))
    case Tag.BMP_STRING:
      return fromUtf16(reader.content(Tag.BMP_STRING))
    case Tag.UTF8_STRING:
      return fromUtf8(reader.content(Tag.UTF8_STRING))
    default:
      throw new MalformedDer('not a Unicode string')
  }
}

function fromUtf32(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) throw new MalformedDer('half a UniversalString character')
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let text = ''
  for (let at = 0; at < view.length; at += 4) {
    const point = view.readUInt32BE(at)
    if (point > 0x10ffff) throw new MalformedDer('beyond Unicode')
    text += String.fromCodePoint(point)
  }
  return text
}

function fromUtf16(bytes: Uint8Array): string {
  if (bytes.length % 2 !== 0) throw new MalformedDer('half a BMPString character')
  return Buffer.from(bytes).swap16().toString('utf16le')
}

function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new MalformedDer('not UTF-8')
  }
}

/** UTCTime for 1950..2049, else GeneralizedTime (RFC 2459 4.1.2.5); whole seconds. */
export function derTime(wallMs: number): Uint8Array {
  // 2026-11-22T12:34:56.789Z -> 20261122123456Z
  const text = `${new Date(wallMs).toISOString().replace(/[-:T]|\..*$/g, '')}Z`
  const year = Number(text.slice(0, 4))
  return year >= 1950 && year < 2050
    ? der(Tag.UTC_TIME, Buffer.from(text.slice(2), 'latin1'))
    : der(Tag.GENERALIZED_TIME, Buffer.from(text, 'latin1'))
}

/** Milliseconds since 1970 UTC. */
export function readTime(reader: DerReader): number {
  if (reader.nextTag === Tag.UTC_TIME) {
    const text = latin1(reader.content(Tag.UTC_TIME))
    return timeOf(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`)
  }
  return timeOf(latin1(reader.content(Tag.GENERALIZED_TIME)))
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function timeOf(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (parts === null) throw new MalformedDer('not a time')
  const [, year, month, day, hour, minute, second] = parts
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const wallMs = Date.parse(iso)
  // Date.parse takes February 30th for March 2nd; the way back shows it.
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString() !== iso) {
    throw new MalformedDer('not a time')
  }
  return wallMs
}
