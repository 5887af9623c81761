// A capture file of UDP datagrams over IPv6, for tools that read such files.

const LINKTYPE_RAW = 101
const UDP = 17
const addresses = Buffer.from(
  '20010db800000000000000000000000120010db8000000000000000000000002',
  'hex',
)

/** One's complement sum, RFC 1071. */
function checksum(parts: readonly Buffer[]): number {
  const data = Buffer.concat(parts)
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += (data[i] as number) << (i % 2 === 0 ? 8 : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff || 0xffff
}

function packet(payload: Uint8Array, port: number): Buffer {
  const length = 8 + payload.length
  const udp = Buffer.alloc(8)
  udp.writeUInt16BE(port, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(length, 4)
  const pseudo = Buffer.alloc(8)
  pseudo.writeUInt32BE(length, 0)
  pseudo.writeUInt32BE(UDP, 4)
  const body = Buffer.from(payload)
  udp.writeUInt16BE(checksum([addresses, pseudo, udp, body]), 6)
  const ip = Buffer.alloc(8)
  ip.writeUInt32BE(6 << 28, 0)
  ip.writeUInt16BE(length, 4)
  ip[6] = UDP
  ip[7] = 64
  return Buffer.concat([ip, addresses, udp, body])
}

/** The bytes of a pcap file with one packet a payload, one microsecond apart. */
export function pcapOf(payloads: readonly Uint8Array[], port: number): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(LINKTYPE_RAW, 20)
  const records = payloads.map((payload, i) => {
    const bytes = packet(payload, port)
    const record = Buffer.alloc(16)
    record.writeUInt32LE(i, 4)
    record.writeUInt32LE(bytes.length, 8)
    record.writeUInt32LE(bytes.length, 12)
    return Buffer.concat([record, bytes])
  })
  return Buffer.concat([header, ...records])
}
