/** Thrown inside the oracle when the bytes have to be refused. */
export class Refused extends Error {}

export function refuseUnless(condition: boolean): asserts condition {
  if (!condition) throw new Refused()
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Shortened by the URL parser, whose IPv6 serializer knows nothing of ours. */
export function addressText(bytes: Uint8Array): string {
  const groups = hexOf(bytes).match(/.{4}/g) ?? []
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** IPV6_ENDPOINT: port, then address. */
export function endpointText(bytes: Uint8Array): string {
  const port = (bytes[0] as number) * 256 + (bytes[1] as number)
  return `[${addressText(bytes.subarray(2))}]:${port}`
}
