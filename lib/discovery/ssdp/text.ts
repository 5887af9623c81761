import { LIMITS } from '../../core/limits.js'

/** What an SSDP datagram is, by its first line (UPnP Device Architecture 1.0, section 1). */
export type SsdpKind = 'search' | 'notify' | 'response'

export interface SsdpText {
  readonly kind: SsdpKind
  /** By lower-case name; of a header that comes twice the first counts. Values are trimmed. */
  readonly headers: ReadonlyMap<string, string>
}

export type TextFault = 'too-long' | 'not-text' | 'start-line' | 'too-many-lines' | 'header'

const TAB = 9
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const SPACE = 32
const DELETE = 127

/**
 * Splits a datagram into its headers. Tolerant where other implementations differ (bare line feeds,
 * no space or many after the colon, no empty line at the end), strict about size: at most
 * `ssdpMessageBytes`, `ssdpLines` lines, `ssdpLineBytes` bytes a line.
 */
export function parseText(bytes: Uint8Array): SsdpText | TextFault {
  if (bytes.length > LIMITS.ssdpMessageBytes) return 'too-long'
  if (!bytes.every(isText)) return 'not-text'
  const lines = linesOf(bytes)
  if (lines.length > LIMITS.ssdpLines) return 'too-many-lines'
  const kind = kindOf(lines[0] ?? '')
  if (kind === undefined) return 'start-line'
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon < 1 || line.length > LIMITS.ssdpLineBytes) return 'header'
    const name = line.slice(0, colon).trim().toLowerCase()
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  return { kind, headers }
}

/** Printable ASCII, blanks, line ends; and bytes above 127, which occur in friendly names. */
function isText(byte: number): boolean {
  if (byte >= SPACE) return byte !== DELETE
  return byte === TAB || byte === LINE_FEED || byte === CARRIAGE_RETURN
}

/** One line more than allowed is enough to see that there are too many. */
function linesOf(bytes: Uint8Array): string[] {
  const text = String.fromCharCode(...bytes)
  return text.split('\n', LIMITS.ssdpLines + 1).map((line) => line.replace(/\r$/, ''))
}

function kindOf(line: string): SsdpKind | undefined {
  if (/^M-SEARCH +\* +HTTP\/1\.[01] *$/i.test(line)) return 'search'
  if (/^NOTIFY +\* +HTTP\/1\.[01] *$/i.test(line)) return 'notify'
  if (/^HTTP\/1\.[01] +200(?: |$)/i.test(line)) return 'response'
  return undefined
}
