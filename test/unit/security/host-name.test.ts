import fc from 'fast-check'
import { createRequire } from 'node:module'
import * as assert from 'uvu/assert'
import { PeernetError } from '#lib/core/errors.js'
import {
  hostNameToPeerName,
  isPeerHostName,
  peerNameToHostName,
  type HostNameOptions,
} from '#lib/security/host-name.js'
import { PeerName } from '#lib/security/peer-name.js'
import { decodePunycode, encodePunycode } from '#lib/security/punycode.js'
import { test } from '../../harness.js'

const punycode = createRequire(import.meta.url)('punycode/') as { encode(text: string): string }

const RTM: HostNameOptions = { compat: 'rtm' }
const BETA: HostNameOptions = { compat: '2006' }
const CARNIVORE = '428fed1c3a15ecad4b66ec96935dea8547d32fac'
const HORTON = '4562b4628ac54782dda52789038476237e7c7263'

// Every example on record. [peer name, host name, in which form, where]
const examples: [string, string, HostNameOptions[], string][] = [
  ['0.pnrpsampletest', 'pnrpsampletest.pnrp.net', [RTM, BETA], 'Windows SDK 7 sample'],
  ['0.test', 'test.pnrp.net', [RTM, BETA], 'carnivore.it 2011'],
  [`${CARNIVORE}.test`, `ptest-p.p${CARNIVORE}.pnrp.net`, [RTM], 'carnivore.it 2011'],
  [`${HORTON}.johndoe`, `johndoe-p.p${HORTON}.pnrp.net`, [BETA], 'Noah Horton 2006'],
  [`${HORTON}.`, `p.p${HORTON}.pnrp.net`, [RTM, BETA], 'TechNet'],
]

function refusal(work: () => unknown): PeernetError {
  try {
    work()
  } catch (error) {
    assert.instance(error, PeernetError)
    return error as PeernetError
  }
  throw new Error('nothing was thrown')
}

test('every example on record, both ways', () => {
  for (const [name, host, forms, source] of examples) {
    for (const form of forms) {
      assert.is(peerNameToHostName(new PeerName(name), form), host, source)
    }
    // Decoding copes with both forms, whichever is asked for.
    for (const form of [RTM, BETA]) {
      assert.is(hostNameToPeerName(host, form).toString(), name, source)
    }
  }
})

test('carnivore.it: the label of an unsecured name would be p0 and may be left out', () => {
  assert.is(hostNameToPeerName('test.p0.pnrp.net').toString(), '0.test')
  assert.is(hostNameToPeerName('ptest-p.p0.pnrp.net').toString(), '0.test')
})

test('case and a final dot of a host name mean nothing', () => {
  assert.is(hostNameToPeerName('Test.PNRP.net.').toString(), '0.test')
  const host = `PTest-P.P${CARNIVORE.toUpperCase()}.pnrp.NET`
  assert.is(hostNameToPeerName(host).toString(), `${CARNIVORE}.test`)
})

test('what no label can hold is encoded', () => {
  // Basic characters, the delimiter, then deltas: RFC 3492 for ü; own ones for ASCII.
  assert.is(peerNameToHostName(PeerName.unsecured('bücher')), 'pbcher-kva.p0.pnrp.net')
  const encoded = ['Test', 'a.b', 'a_b', 'a b', '-a', 'a-', '', 'x'.repeat(64), 'xn--a', '😀']
  for (const classifier of encoded) {
    const host = peerNameToHostName(PeerName.unsecured(classifier))
    assert.match(host, /^p[a-z0-9.-]*\.p0\.pnrp\.net$/, classifier)
    assert.is(hostNameToPeerName(host).classifier, classifier)
  }
  // Names that differ by case only have different host names.
  const of = (text: string): string => peerNameToHostName(PeerName.unsecured(text))
  assert.is(new Set([of('Test'), of('tEst'), of('test'), of('TEST')]).size, 4)
})

test('the authority label is read without its p where it begins with a letter', () => {
  const authority = `a${HORTON.slice(1)}`
  const name = `${authority}.test`
  assert.is(hostNameToPeerName(`ptest-p.${authority}.pnrp.net`).toString(), name)
  assert.is(peerNameToHostName(new PeerName(name)), `ptest-p.p${authority}.pnrp.net`)
  refusal(() => hostNameToPeerName(`ptest-p.${HORTON}.pnrp.net`))
})

test('a p of its own is doubled, so that taking one away is always right', () => {
  for (const form of [RTM, BETA]) {
    for (const classifier of [
      'p',
      'pp',
      'app',
      'papa',
      'p-',
      '-p',
      '-',
      'ap-',
      'üp',
      'pü',
      'ptest-',
    ]) {
      const name = new PeerName(`${HORTON}.${classifier}`)
      assert.is(hostNameToPeerName(peerNameToHostName(name, form), form).classifier, classifier)
    }
  }
})

/** What DNS allows (RFC 1123 2.1), and what URL parsers do not take for something else. */
function checkHost(host: string): void {
  assert.ok(host.length <= 253, host)
  for (const label of host.split('.')) {
    assert.match(label, /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, host)
  }
  assert.is(new URL(`http://${host}/`).hostname, host)
}

const unit = fc.oneof(
  fc.constantFrom(
    '-',
    'p',
    'a',
    '9',
    'A',
    '.',
    ' ',
    '_',
    '\u0001',
    '\u007f',
    '\u0080',
    'ü',
    '\ud800',
    '\udc00',
    '\uffff',
    'xn--',
  ),
  fc.integer({ min: 1, max: 0xffff }).map((code) => String.fromCharCode(code)),
)
const classifiers = fc
  .oneof(
    fc.array(unit, { maxLength: 149 }),
    fc.array(fc.constantFrom('-', 'p', 'x', 'n', 'xn--'), { maxLength: 149 }),
    fc.array(fc.constantFrom('A', 'b', 'Z', '.', '-'), { maxLength: 60 }),
  )
  .map((units) => units.join('').slice(0, 149))

test('decoding what was encoded gives every peer name back, or it had no host name', () => {
  let fitted = 0
  fc.assert(
    fc.property(
      classifiers,
      fc.constantFrom('0', HORTON, `a${HORTON.slice(1)}`),
      fc.constantFrom(RTM, BETA),
      (classifier, authority, form) => {
        const name = new PeerName(`${authority}.${classifier}`)
        let host: string
        try {
          host = peerNameToHostName(name, form)
        } catch (error) {
          assert.is((error as PeernetError).hresult, 0x80634001)
          return
        }
        fitted++
        checkHost(host)
        assert.is(hostNameToPeerName(host, form).toString(), name.toString())
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(fitted > 1000, `${fitted}`)
})

test('any host name is refused, or is one reading of a peer name that leads back', () => {
  const label = fc.array(fc.constantFrom('p', 'a', 'z', '0', '9', '-'), { maxLength: 12 })
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 3 }),
      fc.constantFrom('', `.p${HORTON}`, '.p0'),
      (parts, end) => {
        const host = `${parts.map((one) => one.join('')).join('.')}${end}.pnrp.net`
        let name: PeerName
        try {
          name = hostNameToPeerName(host)
        } catch (error) {
          assert.is((error as PeernetError).code, 'ERR_PEERNET_INVALID_HOST_NAME')
          return
        }
        // Under an authority the classifier is always encoded; compare it without the cuts.
        const uncut = (one: string): string => one.split('.').slice(0, -3).join('')
        const encoded = [RTM, BETA].map((form) =>
          uncut(peerNameToHostName(new PeerName(`${HORTON}.${name.classifier}`), form)),
        )
        const literals = [`${name.classifier}.pnrp.net`, `${name.classifier}.p0.pnrp.net`]
        assert.ok(literals.includes(host) || encoded.includes(uncut(host)), host)
      },
    ),
    { numRuns: 2000 },
  )
})

test('names too long for a host name are refused with the code of Windows', () => {
  // 149 different ones take about three characters each.
  const ideographs = Array.from({ length: 149 }, (_, i) => String.fromCharCode(0x4e00 + i * 97))
    .reverse()
    .join('')
  const { code, hresult } = refusal(() =>
    peerNameToHostName(new PeerName(`${HORTON}.${ideographs}`)),
  )
  assert.is(code, 'ERR_PEERNET_INVALID_HOST_NAME')
  assert.is(hresult, 0x80634001)
  assert.ok(peerNameToHostName(new PeerName(`${HORTON}.${'x'.repeat(149)}`)).length < 253)
})

test('a run of hyphens that no label can be cut from is encoded too', () => {
  const name = PeerName.unsecured(`a${'-'.repeat(100)}b`)
  const host = peerNameToHostName(name)
  checkHost(host)
  assert.is(hostNameToPeerName(host).toString(), name.toString())
})

test('host names that stand for no peer name are refused with the code of Windows', () => {
  const bad = [
    '',
    'pnrp.net',
    '.pnrp.net',
    'example.org',
    'test.pnrp.net.evil.org',
    'test.xpnrp.net',
    'a_b.pnrp.net',
    '-a.pnrp.net',
    'a-.pnrp.net',
    `${'a'.repeat(64)}.pnrp.net`,
    'foo.bar.pnrp.net',
    'a..p0.pnrp.net',
    `ptest-p.p${HORTON}0.pnrp.net`,
    `ptest-p.q${HORTON}.pnrp.net`,
    'bücher.pnrp.net',
    `${'a.'.repeat(130)}pnrp.net`,
  ]
  for (const host of bad) {
    const { code, hresult } = refusal(() => hostNameToPeerName(host))
    assert.is(code, 'ERR_PEERNET_INVALID_HOST_NAME', host)
    assert.is(hresult, 0x80634002)
  }
})

test('isPeerHostName tells the domain', () => {
  for (const host of ['test.pnrp.net', 'TEST.PNRP.NET.', `p.p${HORTON}.pnrp.net`]) {
    assert.ok(isPeerHostName(host))
  }
  for (const host of ['pnrp.net', 'test.pnrp.net.org', 'localhost'])
    assert.not(isPeerHostName(host))
})

test('Punycode agrees with the punycode package where all ASCII is basic (RFC 3492)', () => {
  const basic = 'abcdefghijklmnopqrstuvwxyz0123456789-'
  const character = fc.oneof(
    fc.constantFrom(...basic),
    fc.integer({ min: 0x80, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
    fc.integer({ min: 0xe000, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  )
  fc.assert(
    fc.property(fc.array(character, { maxLength: 40 }), (characters) => {
      const text = characters.join('')
      const encoded = punycode.encode(text)
      assert.is(encodePunycode(text), encoded)
      assert.is(decodePunycode(encoded, 149), text)
    }),
    { numRuns: 2000 },
  )
})

test('samples of RFC 3492 7.1', () => {
  const samples: [string, string][] = [
    ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
    ['なぜみんな日本語を話してくれないのか', 'n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa'],
    ['ليهمابتكلموشعربي؟', 'egbpdaj6bu4bxfgehfvwxn'],
  ]
  for (const [text, encoded] of samples) {
    assert.is(encodePunycode(text), encoded)
    assert.is(decodePunycode(encoded, 149), text)
  }
})

test('Punycode of strangers ends soon and within its limit', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'abz0919-'), { maxLength: 250 }), (digits) => {
      const decoded = decodePunycode(digits.join(''), 149)
      assert.ok(decoded === undefined || Array.from(decoded).length <= 250)
    }),
    { numRuns: 2000 },
  )
})

test.run()
