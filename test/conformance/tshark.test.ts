// Wireshark's dissector as a second opinion on what a datagram says. Stock tshark shows only the
// first element of a message (its loop check is inverted), so each element of a message goes into a
// packet of its own; what tshark reads there has to be what our decoder reads in the whole message.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { formatAddress } from '#lib/core/address-text.js'
import { toHex } from '#lib/core/bytes.js'
import { SeededRng } from '#lib/core/rng.js'
import { decodeMessage, encodeMessage } from '#lib/wire/codec.js'
import type { PnrpMessage, RouteEntry } from '#lib/wire/messages.js'
import { messageVectors } from '../golden/messages.js'
import { skipUnless, suite } from '../harness.js'
import { pcapOf } from '../helpers/pcap.js'

const test = suite('tshark')
const PORT = 3540
const HEADER_BYTES = 12

/** Values of one field, in tshark's order of occurrence. */
type Values = readonly (number | string)[]
type Reading = Readonly<Record<string, Values>>

const hasTshark = spawnSync('tshark', ['--version']).status === 0

/** The elements after the header: FieldID, Length, and from there the next multiple of 4. */
function elementsOf(datagram: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length)
  const elements = new Map<number, Uint8Array>()
  for (let at = HEADER_BYTES; at + 4 <= datagram.length;) {
    const length = view.getUint16(at + 2)
    elements.set(view.getUint16(at), datagram.subarray(at, at + length))
    at += length + (-length & 3)
  }
  return elements
}

const routeReading = ({ pnrpId, port, addresses }: RouteEntry): Reading => ({
  'pnrp.segment.pnrpID': [toHex(pnrpId)],
  'pnrp.segment.routeEntry.portNumber': [port],
  'pnrp.segment.routeEntry.addressCount': [addresses.length],
  'pnrp.segment.ipv6Address': addresses.map(formatAddress),
})

const endpointsReading = (list: readonly { address: Uint8Array; port: number }[]): Reading => ({
  'pnrp.segment.ipv6EndpointArray.NumberOfEntries': [list.length],
  'pnrp.segment.port_number': list.map(({ port }) => port),
  'pnrp.segment.ipv6Address': list.map(({ address }) => formatAddress(address)),
})

const idsReading = (ids: readonly Uint8Array[]): Reading => ({
  'pnrp.segment.idArray.NumEntries': [ids.length],
  'pnrp.segment.pnrpID': ids.map(toHex),
})

/** FieldID to what tshark should show of that element, out of our decoded message. */
function readingsOf(message: PnrpMessage): Map<number, Reading> {
  const out = new Map<number, Reading>()
  if ('routeEntry' in message && message.routeEntry) out.set(0x9a, routeReading(message.routeEntry))
  if ('ackedMessageId' in message) {
    out.set(0x18, { 'pnrp.segment.headerAck': [message.ackedMessageId] })
  }
  if ('hashedNonce' in message) {
    out.set(0x92, { 'pnrp.segment.hashednonce': [toHex(message.hashedNonce)] })
  }
  if ('nonce' in message && message.nonce) {
    out.set(0x93, { 'pnrp.segment.nonce': [toHex(message.nonce)] })
  }
  if ('pnrpIds' in message) out.set(0x60, idsReading(message.pnrpIds))
  if ('validatePnrpId' in message) {
    out.set(0x39, { 'pnrp.segment.pnrpID': [toHex(message.validatePnrpId)] })
  }
  addOwn(message, out)
  return out
}

/** Elements that only one type of message has. */
function addOwn(message: PnrpMessage, out: Map<number, Reading>): void {
  switch (message.type) {
    case 'SOLICIT':
      if (message.solicitType === undefined) return
      out.set(0x44, { 'pnrp.segment.solicitType': [message.solicitType] })
      return
    case 'FLOOD':
      out.set(0x43, { 'pnrp.segment.flood.flags.Dbit': [Number(message.doNotAck)] })
      out.set(0x9e, endpointsReading(message.floodedList))
      return
    case 'INQUIRE':
      out.set(0x40, {
        'pnrp.segment.inquire.flags': [
          (message.wantCpa ? 0x10 : 0) |
            (message.wantExtendedPayload ? 0x08 : 0) |
            (message.wantCertificateChain ? 0x04 : 0),
        ],
      })
      return
    case 'ACK':
      if (message.notFound) out.set(0x40, { 'pnrp.segment.ack.flags.Nbit': [1] })
      return
    case 'LOOKUP':
      out.set(0x38, { 'pnrp.segment.pnrpID': [toHex(message.targetPnrpId)] })
      out.set(0x9e, endpointsReading(message.flaggedPath))
      out.set(0x45, {
        'pnrp.lookupControls.flags': [message.acceptNotCloser ? 2 : 0],
        'pnrp.lookupControls.precision': [message.precision],
        'pnrp.lookupControls.resolveCriteria': [message.resolveCriteria],
        'pnrp.lookupControls.reasonCode': [message.resolveReasonCode],
      })
      return
    default:
  }
}

interface Probe {
  readonly what: string
  readonly packet: Uint8Array
  readonly expected: Reading
}

function probesOf(datagram: Uint8Array): Probe[] {
  const decoded = decodeMessage(datagram)
  assert.ok(decoded.ok)
  const { message } = decoded
  const elements = elementsOf(datagram)
  return [...readingsOf(message)].map(([fieldId, expected]) => {
    const element = elements.get(fieldId)
    assert.ok(element, `${message.type} without element ${fieldId.toString(16)}`)
    // tshark wants 20 bytes at least.
    const packet = new Uint8Array(Math.max(20, HEADER_BYTES + element.length))
    packet.set(datagram.subarray(0, HEADER_BYTES))
    packet.set(element, HEADER_BYTES)
    const header = { 'pnrp.header.messageID': [message.messageId] }
    return {
      what: `${message.type} element 0x${fieldId.toString(16)}`,
      packet,
      expected: { ...header, ...expected },
    }
  })
}

/** What tshark shows of each packet, field by field. */
function tsharkReads(packets: readonly Uint8Array[], fields: readonly string[]): string[][][] {
  const directory = mkdtempSync(join(tmpdir(), 'peernet-tshark-'))
  try {
    const file = join(directory, 'probes.pcap')
    writeFileSync(file, pcapOf(packets, PORT))
    const separators = ['occurrence=a', 'aggregator=|', 'separator=/t'].flatMap((one) => [
      '-E',
      one,
    ])
    const out = execFileSync(
      'tshark',
      ['-r', file, '-T', 'fields', ...separators, ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 },
    )
    const lines = out.split('\n').slice(0, packets.length)
    return lines.map((line) => line.split('\t').map((cell) => (cell === '' ? [] : cell.split('|'))))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function normalised(text: string, like: number | string | undefined): number | string {
  if (text === 'True') return 1
  if (text === 'False') return 0
  if (typeof like === 'number') return Number(text)
  return /^([0-9a-f]{2}:)+[0-9a-f]{2}$/.test(text) ? text.replaceAll(':', '') : text
}

function compare(datagrams: readonly Uint8Array[]): number {
  const probes = datagrams.flatMap(probesOf)
  const fields = [...new Set(probes.flatMap(({ expected }) => Object.keys(expected)))]
  const rows = tsharkReads(
    probes.map(({ packet }) => packet),
    fields,
  )
  let values = 0
  for (const [i, { what, expected }] of probes.entries()) {
    for (const [field, wanted] of Object.entries(expected)) {
      const shown = rows[i]?.[fields.indexOf(field)] ?? []
      assert.equal(
        shown.map((text) => normalised(text, wanted[0])),
        wanted,
        `${what}: ${field}`,
      )
      values += wanted.length
    }
  }
  return values
}

const withoutAuthority = messageVectors.filter(({ message }) => message.type !== 'AUTHORITY')

test('the golden datagrams say to tshark what they say to us', () => {
  skipUnless(hasTshark, 'tshark is not installed', { neverInCi: true })
  assert.ok(compare(withoutAuthority.map(({ bytes }) => bytes)) > 50)
})

test('so do messages full of random values', () => {
  skipUnless(hasTshark, 'tshark is not installed', { neverInCi: true })
  const rng = new SeededRng(20_261_122)
  const id = (): Uint8Array => rng.bytes(32)
  const port = (): number => 1025 + (rng.uint32() % 64_000)
  const entry = (): RouteEntry => ({
    pnrpId: id(),
    port: port(),
    addresses: Array.from({ length: 1 + (rng.uint32() % 4) }, () => rng.bytes(16)),
  })
  const list = (n: number): { address: Uint8Array; port: number }[] =>
    Array.from({ length: n }, () => ({ address: rng.bytes(16), port: port() }))
  const bit = (): boolean => rng.uint32() % 2 === 1
  const messages = Array.from({ length: 40 }, (_, i): PnrpMessage[] => [
    {
      type: 'LOOKUP',
      messageId: rng.uint32(),
      acceptNotCloser: bit(),
      precision: rng.uint32() & 0xff,
      resolveCriteria: 8,
      resolveReasonCode: i % 4,
      targetPnrpId: id(),
      validatePnrpId: id(),
      routeEntry: entry(),
      flaggedPath: list(1 + (i % 22)),
    },
    {
      type: 'FLOOD',
      messageId: rng.uint32(),
      doNotAck: bit(),
      validatePnrpId: id(),
      routeEntry: entry(),
      floodedList: list(i % 23),
    },
    {
      type: 'INQUIRE',
      messageId: rng.uint32(),
      wantCpa: bit(),
      wantExtendedPayload: bit(),
      wantCertificateChain: bit(),
      validatePnrpId: id(),
      nonce: rng.bytes(16),
    },
    {
      type: 'ADVERTISE',
      messageId: rng.uint32(),
      ackedMessageId: rng.uint32(),
      pnrpIds: Array.from({ length: i % 37 }, id),
      hashedNonce: rng.bytes(20),
    },
  ]).flat()
  assert.ok(compare(messages.map((message) => encodeMessage(message))) > 1000)
})

test.run()
