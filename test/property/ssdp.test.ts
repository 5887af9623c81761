// The SSDP parser reads what anybody on the link sends: it must never throw, and what it accepts
// must survive being written and read again.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { SsdpAgent } from '#lib/discovery/ssdp/agent.js'
import {
  decodeSsdp,
  encodeAlive,
  encodeByebye,
  encodeResponse,
  encodeSearch,
  type SsdpMessage,
} from '#lib/discovery/ssdp/messages.js'
import { test } from '../harness.js'

const endpoint = fc
  .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 0, max: 65_535 }))
  .map(([address, port]) => ({ address, port }))
// Printable, and neither begins nor ends with a blank: blanks around values are not kept.
const searchTarget = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 })
  .map((text) => text.trim())
  .filter((text) => text !== '')

const message = fc.oneof(
  searchTarget.map((st): [SsdpMessage, Uint8Array] => [
    { type: 'search', searchTarget: st, mxSeconds: 3 },
    encodeSearch(st),
  ]),
  fc
    .tuple(searchTarget, endpoint)
    .map(([st, at]): [SsdpMessage, Uint8Array] => [
      { type: 'response', searchTarget: st, endpoint: at },
      encodeResponse(st, at),
    ]),
  fc
    .tuple(searchTarget, endpoint)
    .map(([st, at]): [SsdpMessage, Uint8Array] => [
      { type: 'alive', searchTarget: st, endpoint: at },
      encodeAlive(st, at),
    ]),
  fc
    .tuple(searchTarget, endpoint)
    .map(([st, at]): [SsdpMessage, Uint8Array] => [
      { type: 'byebye', searchTarget: st },
      encodeByebye(st, at),
    ]),
)

/** Text that looks like SSDP: its words in any order. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['M-SEARCH * HTTP/1.1', 'NOTIFY * HTTP/1.1', 'HTTP/1.1 200 OK', '\r\n', '\n', ':', ' '],
        ...['ST:', 'NT:', 'AL:', 'USN:', 'MX:', 'NTS:ssdp:alive', 'MAN:"ssdp:discover"', '3'],
        ...['[fe80::1]:3540', '[', ']', '::', '%', '\0', '\t', 'urn:x'],
      ),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 80 },
  )
  .map((parts) => new Uint8Array(Buffer.from(parts.join(''), 'latin1')))

const mutated = fc
  .tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }), fc.nat())
  .map(([[, data], changes, cut]) => {
    const out = data.slice(0, cut % 3 === 0 ? cut % (data.length + 1) : data.length)
    for (const [at, value] of changes) if (out.length > 0) out[at % out.length] = value
    return out
  })

const anything = fc.oneof(
  fc.uint8Array({ maxLength: LIMITS.ssdpMessageBytes + 50 }),
  nearly,
  mutated,
)

test('every message is read back as it was written', () => {
  fc.assert(
    fc.property(message, ([expected, data]) => {
      assert.equal(decodeSsdp(data), { ok: true, message: expected })
    }),
    { numRuns: 2000 },
  )
})

test('arbitrary, nearly right and damaged datagrams are read or refused, never thrown at', () => {
  fc.assert(
    fc.property(anything, (data) => {
      const decoded = decodeSsdp(data)
      if (!decoded.ok) {
        assert.type(decoded.reason, 'string')
      } else if ('endpoint' in decoded.message) {
        const { searchTarget: st, endpoint: at } = decoded.message
        const again = decodeSsdp(encodeResponse(st, at))
        assert.ok(again.ok)
        assert.equal(again.message, { type: 'response', searchTarget: st, endpoint: at })
      }
    }),
    { numRuns: 5000 },
  )
})

test('each truncation of each message is refused or a message of the same kind', () => {
  fc.assert(
    fc.property(message, ([whole, data]) => {
      for (let length = 0; length < data.length; length++) {
        const decoded = decodeSsdp(data.subarray(0, length))
        if (decoded.ok) assert.is(decoded.message.type, whole.type)
      }
    }),
    { numRuns: 50 },
  )
})

test('whatever the datagrams, an agent sends and finds only a bounded amount', () => {
  const address = new Uint8Array(16)
  address.set([0xfe, 0x80])
  const target = 'urn:x'
  const words = fc.oneof(
    anything,
    fc.constantFrom(encodeSearch(target), encodeSearch('urn:y')),
    endpoint.map((at) => encodeResponse(target, at)),
    endpoint.map((at) => encodeAlive(target, at)),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(words, endpoint), { maxLength: 200 }), (inputs) => {
      const links = [{ index: 2, addresses: [address] }]
      const agent = new SsdpAgent({ rng: new SeededRng(1), links })
      agent.announce(0, target, { address, port: 3540 })
      agent.search(0, target)
      for (const [data, { port }] of inputs) agent.handleDatagram(0, { address, port }, 2, data)
      agent.handleTimeout(LIMITS.ssdpAnswerWindowUs)
      let [sent, found] = [0, 0]
      while (agent.pollTransmit() !== undefined) sent++
      while (agent.pollFinding() !== undefined) found++
      assert.ok(sent <= 1 + 2 + LIMITS.ssdpAnswersPerSecond, `sent ${sent}`)
      assert.ok(found <= 2 * LIMITS.ssdpTargets, `found ${found}`)
    }),
    { numRuns: 200 },
  )
})

test.run()
