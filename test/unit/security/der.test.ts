import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromHex, toHex } from '#lib/core/bytes.js'
import {
  bitString,
  contextTag,
  der,
  DerReader,
  derTrue,
  MalformedDer,
  objectIdentifier,
  octetString,
  sequence,
  Tag,
} from '#lib/security/der.js'
import {
  bmpString,
  derTime,
  readTime,
  readUnicode,
  universalString,
} from '#lib/security/der-text.js'
import { test } from '../../harness.js'

const reader = (hex: string): DerReader => new DerReader(fromHex(hex) as Uint8Array)

function refuses(work: () => unknown, title: string): void {
  try {
    work()
  } catch (error) {
    assert.instance(error, MalformedDer, title)
    return
  }
  assert.unreachable(`${title} was accepted`)
}

test('object identifiers: the examples of X.690 8.19.5 and of RSA', () => {
  // {2 100 3} = 06 03 813403; 1.2.840.113549 = 2a864886f70d; szOID of the P2P arc.
  const examples: [string, string][] = [
    ['2.100.3', '0603813403'],
    ['1.2.840.113549.1.1.5', '06092a864886f70d010105'],
    ['1.3.6.1.4.1.311.44.0.1', '060a2b0601040182372c0001'],
    ['2.5.29.17', '0603551d11'],
  ]
  for (const [dotted, hex] of examples) {
    assert.is(toHex(objectIdentifier(dotted)), hex)
    assert.is(reader(hex).objectIdentifier(), dotted)
  }
})

test('object identifiers that are not the shortest, cut short or too large are refused', () => {
  for (const hex of ['0600', '060180', '0603803403', '06022a86', '0607ffffffffffff7f']) {
    refuses(() => reader(hex).objectIdentifier(), hex)
  }
})

test('lengths are definite, shortest and inside the input', () => {
  const bad = {
    indefinite: '30800000',
    'long form for a short length': '30810102',
    'two octets for one': '3082007f'.padEnd(8 + 254, '0'),
    'three octets': '3083010000'.padEnd(10 + 131072, '0'),
    truncated: '30050102',
    'no length': '30',
    'half a length': '3082',
  }
  for (const [title, hex] of Object.entries(bad)) refuses(() => reader(hex).inside(0x30), title)
  assert.is(reader('308180'.padEnd(6 + 256, '0')).content(0x30).length, 128)
})

test('every length up to two octets round-trips', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 257, 65_535]) {
    const content = new Uint8Array(length).fill(7)
    const encoded = octetString(content)
    const back = new DerReader(encoded)
    assert.equal(back.content(Tag.OCTET_STRING), content)
    back.end()
  }
  assert.throws(() => octetString(new Uint8Array(65_536)), RangeError)
})

test('nesting is bounded', () => {
  const nested = (depth: number): Uint8Array =>
    depth === 0 ? sequence() : sequence(nested(depth - 1))
  const descend = (at: DerReader): number => (at.atEnd ? 0 : 1 + descend(at.inside(Tag.SEQUENCE)))
  assert.is(descend(new DerReader(nested(10))), 11)
  refuses(() => descend(new DerReader(nested(100))), 'depth 100')
})

test('wrong tags, tags of several bytes, trailing bytes and odd booleans are refused', () => {
  refuses(() => reader('0500').content(Tag.INTEGER), 'tag')
  refuses(() => {
    reader('1f8101010a').skip()
  }, 'long tag')
  refuses(() => {
    const two = reader('05000500')
    two.skip()
    two.end()
  }, 'trailing')
  refuses(() => {
    reader('').skip()
  }, 'nothing')
  refuses(() => reader('010101').boolean(), 'TRUE as 01')
  refuses(() => reader('0102ff00').boolean(), 'long BOOLEAN')
  refuses(() => reader('03020180').bitString(), 'unused bits')
  refuses(() => reader('0300').bitString(), 'BIT STRING without its first octet')
  assert.is(new DerReader(derTrue()).boolean(), true)
  assert.is(toHex(bitString(Uint8Array.of(5))), '03020005')
  assert.is(toHex(der(contextTag(3), sequence())), 'a3023000')
})

test('Unicode strings round-trip unit by unit, unpaired surrogates included', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes)
      for (const encoded of [universalString(text), bmpString(text)]) {
        assert.is(readUnicode(new DerReader(encoded)), text)
      }
    }),
  )
})

test('string types: UTF-32BE, UTF-16BE and UTF-8 (X.680 41, RFC 2459 4.1.2.4)', () => {
  assert.is(toHex(universalString('é😀')), '1c08000000e90001f600')
  assert.is(toHex(bmpString('é😀')), '1e0600e9d83dde00')
  assert.is(readUnicode(reader('0c06c3a9f09f9880')), 'é😀')
  for (const hex of ['1c03000000', '1c0400110000', '1e0100', '0c01ff', '0c03eda080', '130141']) {
    refuses(() => readUnicode(reader(hex)), hex)
  }
})

test('times: UTCTime until 2049, then GeneralizedTime (RFC 2459 4.1.2.5)', () => {
  const time = Date.UTC(2026, 10, 22, 12, 34, 56)
  assert.is(Buffer.from(derTime(time)).toString('latin1', 2), '261122123456Z')
  assert.is(readTime(new DerReader(derTime(time))), time)
  const later = Date.UTC(2050, 0, 1)
  assert.is(Buffer.from(derTime(later)).toString('latin1', 2), '20500101000000Z')
  assert.is(readTime(new DerReader(derTime(later))), later)
  const earlier = new DerReader(der(Tag.UTC_TIME, Buffer.from('500101000000Z')))
  assert.is(readTime(earlier), Date.UTC(1950, 0, 1))
})

test('times that do not exist, or are written otherwise, are refused', () => {
  const bad = [
    '260230000000Z',
    '261322123456Z',
    '2611221234Z',
    '261122123456+0100',
    '',
    'x'.repeat(13),
  ]
  for (const text of bad) {
    refuses(() => readTime(new DerReader(der(Tag.UTC_TIME, Buffer.from(text)))), text)
  }
  const fraction = der(Tag.GENERALIZED_TIME, Buffer.from('20261122123456.5Z'))
  refuses(() => readTime(new DerReader(fraction)), 'fraction')
})

test('arbitrary bytes: a typed refusal, or the very bytes again', () => {
  const walk = (at: DerReader): Uint8Array[] => {
    const parts: Uint8Array[] = []
    while (!at.atEnd) {
      const tag = at.nextTag as number
      const { bytes } = at.whole(tag)
      parts.push(bytes)
    }
    return parts
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        assert.equal(Buffer.concat(walk(new DerReader(bytes))), Buffer.from(bytes))
      } catch (error) {
        assert.instance(error, MalformedDer)
      }
    }),
    { numRuns: 2000 },
  )
})

test.run()
