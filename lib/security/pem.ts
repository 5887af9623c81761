/**
 * Text files of peernet: lines of `Name: value` for people, then one PEM block (RFC 7468), which
 * the openssl command reads as well because it skips what stands before it.
 */
export interface PemFile {
  readonly label: string
  readonly headers: ReadonlyMap<string, string>
  readonly bytes: Uint8Array
}

export function writePem(
  label: string,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
): string {
  const base64 = Buffer.from(bytes).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return [
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `-----BEGIN ${label}-----`,
    ...lines,
    `-----END ${label}-----`,
    '',
  ].join('\n')
}

const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]*)-----END \1-----\n?$/m

/** Undefined unless the text holds one block, behind headers only, and nothing after it. */
export function readPem(text: string): PemFile | undefined {
  const plain = text.replaceAll('\r\n', '\n')
  const block = BLOCK.exec(plain)
  if (block === null || block.index + block[0].length !== plain.length) return undefined
  const [, label, body] = block
  const base64 = (body as string).replaceAll('\n', '')
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) return undefined
  const headers = new Map<string, string>()
  for (const line of plain.slice(0, block.index).split('\n')) {
    const header = /^([A-Za-z-]+): (.*)$/s.exec(line)
    if (header === null && line !== '') return undefined
    if (header !== null) headers.set(header[1] as string, header[2] as string)
  }
  return { label: label as string, headers, bytes: new Uint8Array(bytes) }
}
