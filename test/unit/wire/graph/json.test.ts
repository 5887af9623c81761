// `peernet graph decode`: what it prints of the golden vectors, and that no line is fatal.
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { concatBytes, toHex } from '#lib/core/bytes.js'
import { frame, frameMessage } from '#lib/wire/graph/frames.js'
import { decodeGraphLine } from '#lib/wire/graph/json.js'
import * as golden from '../../../golden/graph.js'
import { suite } from '../../../harness.js'

const test = suite('graph messages as JSON')

type Json = Record<string, unknown>

function decode(bytes: Uint8Array, order: 'big-endian' | 'little-endian' = 'big-endian'): Json[] {
  return decodeGraphLine(toHex(bytes), order).map((line) => JSON.parse(line) as Json)
}

function vector(name: string): Uint8Array {
  const found = golden.messageVectors.find((candidate) => candidate.name === name)
  assert.ok(found)
  return found.bytes
}

test('a message', () => {
  assert.equal(decode(vector('connect-update')), [
    {
      ...{ ok: true, type: 'CONNECT', update: true, direct: false, neighborList: false },
      ...{ nodeId: '72623859790382856', addresses: ['[2001:db8::1]:3587'] },
      reencoded: toHex(vector('connect-update')),
    },
  ])
  const [request] = decode(vector('request'))
  assert.equal(request?.['abstracts'], [{ id: '00112233-4455-6677-8899-aabbccddeeff', version: 7 }])
  const [solicit] = decode(vector('solicit-new-included'))
  assert.equal(solicit?.['inclusions'], ['00000100-0000-0000-0000-000000000000'])
})

test('a FLOOD, with what an internal record says', () => {
  const [line] = decode(golden.floodBytes)
  assert.equal(line, {
    ok: true,
    type: 'FLOOD',
    record: {
      type: '00000200-0000-0000-0000-000000000000',
      id: '4c515c94-4252-494f-8440-34cc79769c81',
      ...{ version: 1, deleted: false, creatorId: 'alice', lastModifiedBy: '', securityData: '' },
      creationTime: '134082144472399872',
      expirationTime: '134082147472399872',
      modificationTime: '134082144472399872',
      ...{ graphId: 'g1', payload: '0102030405060708', attributes: '' },
      content: { signature: '72623859790382856' },
    },
    reencoded: toHex(golden.floodBytes),
  })
})

test('frames, one message after the other', () => {
  const [info, hash] = [vector('auth-info'), vector('solicit-hash')]
  const lines = decode(concatBytes(...frameMessage(info, 100), ...frameMessage(hash, 9)))
  assert.equal(
    lines.map(({ ok, type, reencoded }) => [ok, type, reencoded]),
    [
      [true, 'AUTH_INFO', toHex(info)],
      [true, 'SOLICIT_HASH', toHex(hash)],
    ],
  )
})

test('what is wrong', () => {
  assert.match(decodeGraphLine('xyz', 'big-endian').join(), /ERR_PEERNET_MALFORMED/)
  assert.equal(decode(new Uint8Array(0)), [{ ok: false, code: 'ERR_PEERNET_TRUNCATED' }])
  const whole = frame(vector('sync-end'))
  assert.equal(
    decode(concatBytes(whole, whole.subarray(0, 7))).map(({ code }) => code),
    [undefined, 'ERR_PEERNET_TRUNCATED'],
  )
  assert.equal(decode(new Uint8Array([0, 0])), [{ ok: false, code: 'ERR_PEERNET_BAD_FRAME' }])
  const broken = new Uint8Array(golden.floodBytes)
  broken[12 + 35] = 0
  assert.equal(decode(broken), [{ ok: false, type: 'FLOOD', code: 'ERR_PEERNET_BAD_VALUE' }])
})

test('any line gives lines of JSON', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 80 }).map(toHex)), (line) => {
      for (const decoded of decodeGraphLine(line, 'little-endian')) {
        assert.type((JSON.parse(decoded) as Json)['ok'], 'boolean')
      }
    }),
    { numRuns: 2000 },
  )
})

test.run()
