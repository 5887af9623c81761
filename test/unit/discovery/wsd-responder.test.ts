// MS-PCCRD 3.2 under virtual time.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { SeededRng } from '#lib/core/rng.js'
import { Suppression } from '#lib/discovery/wsd/suppression.js'
import { encodeDiscovery } from '#lib/discovery/wsd/write.js'
import { test } from '../../harness.js'
import { answerIn, at, Host, probe, segment, uuid } from '../../support/wsd-world.js'

const FOUR = at('192.0.2.9', 50_000)
const SECOND = 1_000_000

function sharing(...bytes: readonly number[]): Host {
  const host = new Host(1)
  for (const byte of bytes) host.shelf.put(byte, 512)
  host.announces()
  return host
}

test('D-082 answers go to where the probe came from, after 1 to 65 ms', () => {
  const delays = new Set<number>()
  const host = sharing(1)
  for (let i = 0; i < 2000; i++) {
    const now = i * SECOND
    host.hears(now, FOUR, probe(i, [segment(1)]))
    assert.equal(host.sent(), [], 'nothing at once')
    const [out, more] = host.runTo(now + SECOND / 2)
    assert.ok(out)
    assert.is(more, undefined)
    assert.equal(out.to, FOUR)
    assert.is(out.via, 'group')
    delays.add(out.at - now)
  }
  // 3.2.2: uniform; 2000 draws of 65 values miss one with a chance of 1e-12, and the seed is fixed.
  assert.equal(
    [...delays].sort((a, b) => a - b),
    Array.from({ length: 65 }, (_, i) => (i + 1) * 1000),
  )
})

test('D-083 D-087 answers name their probe and are numbered within a growing instance', () => {
  const host = sharing(1)
  assert.equal(host.stored, [1000], 'the time in seconds')
  const answers = [1, 2, 3].map((n) => {
    host.hears(n * SECOND, FOUR, probe(n, [segment(1)]))
    return answerIn(host.runTo(n * SECOND + SECOND / 2)[0])
  })
  assert.equal(
    answers.map((one) => [one.relatesTo, one.instanceId, one.messageNumber]),
    [
      [uuid(1), 1000, 1],
      [uuid(2), 1000, 2],
      [uuid(3), 1000, 3],
    ],
  )
  assert.is(new Set(answers.map((one) => one.messageId)).size, 3)
  assert.is(new Set(answers.map((one) => one.matches[0]?.endpoint)).size, 1)
  assert.match(answers[0]?.matches[0]?.endpoint ?? '', /^urn:uuid:[0-9a-f-]{36}$/)
  // DA-39: a clock set back, and a run in the same second.
  const later = new Host(1)
  later.announces(8008, 999_000, 1000)
  later.announces(8008, 5_000_500, 1001)
  assert.equal(later.stored, [1001, 5000])
})

test('D-087 the metadata version is that of the probe; each run has an endpoint of its own', () => {
  const texts = ([1, 2] as const).map((version) => {
    const host = new Host(version)
    host.shelf.put(1, 1)
    host.announces()
    host.hears(0, FOUR, probe(1, [segment(1)], version))
    return Buffer.from(host.runTo(SECOND)[0]?.data ?? []).toString()
  })
  texts.forEach((text, i) => {
    assert.match(text, `<wsd:MetadataVersion>${i + 1}</wsd:MetadataVersion>`)
  })
  const endpoints = texts.map((text) => /<wsa:Address>(.*?)</.exec(text)?.[1])
  assert.is(new Set(endpoints).size, 2)
})

test('D-090 what enters or leaves the cache changes answers at once', () => {
  const host = sharing()
  const ask = (n: number): void => {
    host.hears(n * SECOND, FOUR, probe(n, [segment(7), segment(8)], 2))
  }
  ask(1)
  assert.equal(host.runTo(1.5 * SECOND), [])
  host.shelf.put(7, 3, false, 600_000)
  ask(2)
  const two = answerIn(host.runTo(2.5 * SECOND)[0]).matches[0]
  assert.ok(two?.version === 2)
  assert.equal(two.states.slice(0, 2), ['some', 'none'])
  assert.equal(two.ages, [{ index: 0, ageMs: 600_000 }])
  // Changed while an answer waits: its content is that of the moment it leaves.
  ask(3)
  host.shelf.put(8, 512)
  host.shelf.put(7, 512)
  const three = answerIn(host.runTo(3.5 * SECOND)[0]).matches[0]
  assert.ok(three?.version === 2)
  assert.equal(three.states.slice(0, 2), ['complete', 'complete'])
  ask(4)
  host.shelf.remove(7)
  host.shelf.remove(8)
  assert.equal(host.runTo(4.5 * SECOND), [])
})

test('D-094 a probe of version 1 for a segment of version 2 is answered, with its spelling', () => {
  const host = sharing()
  host.shelf.put(0xab, 1)
  const lower = Buffer.from(encodeDiscovery(probe(1, [segment(0xab), segment(2)])))
    .toString()
    .replace('AB'.repeat(32), 'ab'.repeat(32))
  host.hears(0, FOUR, new Uint8Array(Buffer.from(lower)))
  const text = Buffer.from(host.runTo(SECOND)[0]?.data ?? []).toString()
  assert.match(text, `<wsd:Scopes>${'ab'.repeat(32)}</wsd:Scopes>`)
  assert.match(text, '<PeerDist:BlockCount>00000001</PeerDist:BlockCount>')
})

test('D-081 other types, broken XML and missing or malformed scopes are not answered', () => {
  const host = sharing(1)
  const good = Buffer.from(encodeDiscovery(probe(1, [segment(1)]))).toString()
  const hear = (text: string): void => {
    host.hears(0, FOUR, new Uint8Array(Buffer.from(text)))
  }
  const scopes = / MatchBy="[^"]*">[0-9A-F]*</
  hear(good.replace('PeerDist:PeerDistData', 'PeerDist:Printer'))
  hear(good.replace('</soap:Envelope>', ''))
  hear(good.replace(scopes, '><'))
  hear(good.replace(scopes, (all) => all.replace(/>.*</, '><')))
  hear(good.replace('>0101', '>010'))
  hear('not even <xml')
  host.hears(0, FOUR, probe(2, [segment(99)]))
  assert.equal(host.runTo(SECOND), [])
  assert.equal(
    ['ignored.wsd-other', 'drop.wsd-not-xml', 'drop.wsd-scopes', 'ignored.wsd-probe'].map((name) =>
      host.count(name),
    ),
    [2, 1, 3, 1],
  )
})

test('D-093 probes that come twice are answered once in a while', () => {
  const host = sharing(1)
  for (let ms = 0; ms < 2000; ms += 100) host.hears(ms * 1000, FOUR, probe(1, [segment(1)]))
  assert.is(host.runTo(5 * SECOND).length, 1)
  assert.is(host.count('ignored.wsd-duplicate'), 19)
  host.hears(LIMITS.wsdDuplicateUs, FOUR, probe(1, [segment(1)]))
  assert.is(host.runTo(20 * SECOND).length, 1)
})

test('D-093 oversized XML and entities are refused', () => {
  const host = sharing(1)
  const good = Buffer.from(encodeDiscovery(probe(1, [segment(1)]))).toString()
  const declaration = '<!DOCTYPE a [<!ENTITY b "c">]>'
  const hear = (text: string): void => {
    host.hears(0, FOUR, new Uint8Array(Buffer.from(text)))
  }
  hear(good.replace('<soap:Envelope', `${declaration}<soap:Envelope`))
  hear(good.replace('<soap:Body>', `<soap:Body>${'<a/>'.repeat(300)}`))
  hear(good + ' '.repeat(LIMITS.wsdMessageBytes))
  assert.equal(host.runTo(SECOND), [])
  assert.equal(
    ['drop.wsd-not-xml', 'drop.wsd-too-much', 'drop.wsd-too-long'].map((name) => host.count(name)),
    [1, 1, 1],
  )
})

test('D-088 answers name the address that the prober can reach', () => {
  const host = sharing(1)
  const cases = [
    [at('192.0.2.9', 5), '', '192.0.2.1:8008'],
    [at('fe80::9', 5), 'eth0', '[fe80::1]:8008'],
    [at('2001:db8::9', 5), '', '[2001:db8::1]:8008'],
  ] as const
  for (const [i, [from, zone, expected]] of cases.entries()) {
    host.hears(i * SECOND, from, probe(i, [segment(1)]), zone)
    const [out] = host.runTo(i * SECOND + SECOND / 2)
    assert.match(Buffer.from(out?.data ?? []).toString(), `<wsd:XAddrs>${expected}</wsd:XAddrs>`)
    assert.is(out?.zone, 'eth0')
  }
})

test('only neighbours are answered, and never this host itself', () => {
  const host = sharing(1)
  host.agent.setProbePorts([4444])
  const strangers = [
    [at('198.51.100.1', 5), ''],
    [at('2001:db8:1::9', 5), ''],
    [at('fe80::9', 5), 'wlan0'],
    [at('fe80::9', 5), ''],
    [at('192.0.2.1', 4444), ''],
  ] as const
  for (const [i, [from, zone]] of strangers.entries()) {
    host.hears(0, from, probe(i, [segment(1)]), zone)
  }
  assert.equal(host.runTo(SECOND), [])
  assert.is(host.count('drop.wsd-off-link'), 4)
  assert.is(host.count('ignored.wsd-own'), 1)
  // Another program of this host is a peer like any other.
  host.hears(0, at('192.0.2.1', 4445), probe(9, [segment(1)]))
  assert.is(host.runTo(SECOND).length, 1)
})

test('a source draws a bounded number of answers, all sources together too', () => {
  const host = sharing(1)
  const flood = (second: number, source: (i: number) => string): number => {
    for (let i = 0; i < 2000; i++) {
      const from = at(source(i), 1024 + i) // the port makes no new source
      host.hears(second * SECOND, from, probe(second * 10_000 + i, [segment(1)]))
    }
    return host.runTo((second + 1) * SECOND - 1).length
  }
  // No more than are read in a second, so the two are apart.
  assert.is(
    flood(1, () => '192.0.2.9'),
    LIMITS.wsdAnswersPerSourceSecond,
  )
  assert.is(
    flood(10, (i) => `192.0.2.${2 + (i % 250)}`),
    LIMITS.wsdAnswersPerSecond,
  )
  assert.ok(host.count('drop.wsd-document-rate') > 0)
})

test('an answer is less than twice as long as its probe', () => {
  const host = new Host(1)
  for (let byte = 0; byte < 256; byte++) host.shelf.put(byte, 512)
  host.announces()
  let n = 0
  for (const version of [1, 2] as const) {
    for (const length of [32, 48, 64]) {
      for (const count of [1, 2, 9, 60, 200]) {
        const ids = Array.from({ length: count }, (_, i) => segment(i, length))
        const data = encodeDiscovery(probe(++n, ids, version))
        host.hears(n * SECOND, FOUR, data)
        const [out, more] = host.runTo(n * SECOND + SECOND / 2)
        assert.is(more, undefined)
        const factor = (out?.data.length ?? Infinity) / data.length
        assert.ok(factor < 2, `${version}/${length}/${count}: ${factor}`)
      }
    }
  }
})

test('discovery never amplifies: a probe made up to draw a longer answer than twice itself draws none', () => {
  const host = new Host(1)
  host.shelf.put(1, 512)
  host.announces()
  const short = new TextDecoder().decode(encodeDiscovery(probe(1, [segment(1)])))
  // Characters that take one byte here and four in the answer.
  const name = `<![CDATA[${'<'.repeat(250)}]]>`
  const made = short.replace(uuid(1), name)
  host.hears(SECOND, FOUR, new TextEncoder().encode(made))
  assert.equal(host.runTo(2 * SECOND), [])
  assert.is(host.count('drop.wsd-amplifies'), 1)
  host.hears(3 * SECOND, FOUR, probe(2, [segment(1)]))
  assert.is(host.runTo(4 * SECOND).length, 1)
})

test('D-092 with suppression, peers that heard enough others answer keep silent', () => {
  const chance = (answers: number, complete: number): number => {
    const suppression = new Suppression(new SeededRng(5))
    for (let i = 0; i < answers; i++) suppression.note(segment(1), i < complete)
    let spoken = 0
    for (let i = 0; i < 10_000; i++) if (!suppression.silences(segment(1))) spoken++
    return spoken / 10_000
  }
  assert.is(chance(0, 0), 1)
  assert.is(chance(9, 9), 1)
  assert.is(chance(10, 10), 0)
  // 3.2.4 <8>: 0.33; five standard deviations of 10,000 draws are 0.024. The seed is fixed.
  assert.ok(Math.abs(chance(10, 9) - 0.33) < 0.024)
  assert.ok(Math.abs(chance(50, 0) - 0.33) < 0.024)
})

test('D-092 answers that this host heard count, and only when it wants to keep silent', () => {
  for (const suppression of [false, true]) {
    const host = new Host(1, { suppression })
    host.shelf.put(1, 512)
    host.announces()
    host.agent.find(0, 1, [{ id: segment(1), blocks: 512 }])
    const [out] = host.sent()
    const relatesTo = /MessageID>(.*?)</.exec(Buffer.from(out?.data ?? []).toString())?.[1] ?? ''
    for (let peer = 10; peer < 20; peer++) {
      host.hears(0, at(`192.0.2.${peer}`, 3702), {
        type: 'probe-matches',
        messageId: uuid(peer),
        relatesTo,
        instanceId: 1,
        messageNumber: 1,
        matches: [
          {
            version: 1,
            endpoint: uuid(peer),
            addresses: [{ host: `192.0.2.${peer}`, port: 80 }],
            segments: [{ id: segment(1), blockCount: 512 }],
          },
        ],
      })
    }
    assert.is(host.events().length, 10)
    host.runTo(SECOND)
    host.hears(2 * SECOND, FOUR, probe(1, [segment(1)]))
    assert.is(host.runTo(3 * SECOND).length, suppression ? 0 : 1)
  }
})

test.run()
