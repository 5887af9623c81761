// MS-PCCRD 2.2 and its examples 4.1 to 4.4; DA-9 to DA-15.
import * as assert from 'uvu/assert'
import { fromHex } from '#lib/core/bytes.js'
import { LIMITS } from '#lib/core/limits.js'
import type { Probe, ProbeMatch, ProbeMatches } from '#lib/discovery/wsd/messages.js'
import { decodeDiscovery } from '#lib/discovery/wsd/read.js'
import { encodeDiscovery } from '#lib/discovery/wsd/write.js'
import { test } from '../../harness.js'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const textOf = (message: Uint8Array): string => Buffer.from(message).toString()
const id = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const PROBE_ID = 'urn:uuid:91528b47-b96d-4e30-981f-308c0586926f'
const OTHER_ID = 'urn:uuid:7f4b09a3-96c9-4170-9eb3-1c805a52f444'
const ENDPOINT = 'urn:uuid:87A89944-0230-43a5-AC4E-FAB1386C8E2C'
const PACKED =
  'ACACI74aAQAAAAAwHRoBAAAAAEEAQQBEAHkAZwBNAE0AMQAjvhoBAAAAADAdGgEAAAAAQQBBAEQAeQBnAE0ATQAxAA=='

const HEAD =
  '<?xml version="1.0" encoding="utf-8"?>' +
  '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"' +
  ' xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing"' +
  ' xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery"' +
  ' xmlns:PeerDist="http://schemas.microsoft.com/p2p/2007/09/PeerDistributionDiscovery">'

function probeText(types: string, matchBy: string, scopes: string): string {
  return (
    `${HEAD}<soap:Header>` +
    '<wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To>' +
    '<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action>' +
    `<wsa:MessageID>${PROBE_ID}</wsa:MessageID></soap:Header><soap:Body><wsd:Probe>` +
    `<wsd:Types>${types}</wsd:Types><wsd:Scopes MatchBy="${matchBy}">${scopes}</wsd:Scopes>` +
    '</wsd:Probe></soap:Body></soap:Envelope>'
  )
}

const STRCMP = 'http://schemas.xmlsoap.org/ws/2005/04/discovery/strcmp0'
const RULE_2 = 'http://schemas.microsoft.com/p2p/2010/05/PeerDistV2MatchingRule'
const probe1 = probeText('PeerDist:PeerDistData', STRCMP, `${'AB'.repeat(32)} ${'01'.repeat(48)}`)
const probe2 = probeText('PeerDist:PeerDistDataV2', RULE_2, PACKED)

test('D-077 a probe of version 1 is written exactly so, in upper case', () => {
  const probe: Probe = {
    type: 'probe',
    version: 1,
    messageId: PROBE_ID,
    segmentIds: [id(0xab), id(1, 48)],
  }
  assert.is(textOf(encodeDiscovery(probe)), probe1)
  const spellings = ['AB'.repeat(32), '01'.repeat(48)]
  assert.equal(decodeDiscovery(bytes(probe1)), { ...probe, spellings })
})

test('D-078 a probe of version 2 carries the scope of example 4.2', () => {
  const segmentId = fromHex('23BE1A0100000000301D1A0100000000410041004400790067004D004D003100')
  assert.ok(segmentId)
  const segmentIds = [segmentId, segmentId]
  const probe: Probe = { type: 'probe', version: 2, messageId: PROBE_ID, segmentIds }
  assert.is(textOf(encodeDiscovery(probe)), probe2)
  assert.equal(decodeDiscovery(bytes(probe2)), probe)
})

function answer(match: ProbeMatch): ProbeMatches {
  return {
    type: 'probe-matches',
    messageId: OTHER_ID,
    relatesTo: PROBE_ID,
    instanceId: 1_218_765_447,
    messageNumber: 4,
    matches: [match],
  }
}

const match1: ProbeMatch = {
  version: 1,
  endpoint: ENDPOINT,
  addresses: [{ host: '157.59.141.183', port: 54_321 }],
  segments: [
    { id: id(2), spelling: '02'.repeat(32), blockCount: 42 },
    { id: id(0xab), spelling: 'aB'.repeat(32), blockCount: 512 },
  ],
}

function answerText(types: string, scopes: string, version: number, data: string): string {
  return (
    `${HEAD}<soap:Header>` +
    '<wsa:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>' +
    '<wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action>' +
    `<wsa:MessageID>${OTHER_ID}</wsa:MessageID><wsa:RelatesTo>${PROBE_ID}</wsa:RelatesTo>` +
    '<wsd:AppSequence InstanceId="1218765447" MessageNumber="4"></wsd:AppSequence>' +
    '</soap:Header><soap:Body><wsd:ProbeMatches><wsd:ProbeMatch>' +
    `<wsa:EndpointReference><wsa:Address>${ENDPOINT}</wsa:Address></wsa:EndpointReference>` +
    `<wsd:Types>${types}</wsd:Types><wsd:Scopes>${scopes}</wsd:Scopes>` +
    '<wsd:XAddrs>157.59.141.183:54321</wsd:XAddrs>' +
    `<wsd:MetadataVersion>${version}</wsd:MetadataVersion>` +
    `<PeerDist:PeerDistData>${data}</PeerDist:PeerDistData>` +
    '</wsd:ProbeMatch></wsd:ProbeMatches></soap:Body></soap:Envelope>'
  )
}

const text1 = answerText(
  'PeerDist:PeerDistData',
  `${'02'.repeat(32)} ${'aB'.repeat(32)}`,
  1,
  '<PeerDist:BlockCount>0000002A00000200</PeerDist:BlockCount>',
)

test('D-084 an answer of version 1 echoes spellings and counts blocks in 8 digits each', () => {
  assert.is(textOf(encodeDiscovery(answer(match1))), text1)
  const decoded = decodeDiscovery(bytes(text1))
  assert.ok(typeof decoded === 'object' && decoded.type === 'probe-matches')
  const segments = [
    { id: id(2), blockCount: 42 },
    { id: id(0xab), blockCount: 512 },
  ]
  assert.equal(decoded, answer({ ...match1, segments }))
})

const match2: ProbeMatch = {
  version: 2,
  endpoint: ENDPOINT,
  addresses: [{ host: '157.59.141.183', port: 54_321 }],
  states: ['complete', 'none', 'some', 'none', 'complete'],
  ages: [
    { index: 0, ageMs: 600_000 },
    { index: 2, ageMs: 600_000 },
  ],
}

test('D-085 D-086 an answer of version 2 maps two bits a segment, the first in the highest', () => {
  // 11 00 10 00, 11 and zeros: C8 C0
  const scopes = Buffer.from([0xc8, 0xc0]).toString('base64')
  const ages = '<PeerDist:SegmentAges>AAEDAgBg6gACYOoA</PeerDist:SegmentAges>'
  const text2 = answerText('PeerDist:PeerDistDataV2', scopes, 2, ages)
  assert.is(textOf(encodeDiscovery(answer(match2))), text2)
  const decoded = decodeDiscovery(bytes(text2))
  assert.ok(typeof decoded === 'object' && decoded.type === 'probe-matches')
  const states = [...match2.states, 'none', 'none', 'none']
  assert.equal(decoded, answer({ ...match2, states } as ProbeMatch))
  // ten bytes of FF, as in example 4.4: forty complete segments
  const full = textOf(bytes(text2)).replace(scopes, '/////////////w==')
  const forty = decodeDiscovery(bytes(full))
  assert.ok(typeof forty === 'object' && forty.type === 'probe-matches')
  const [match] = forty.matches
  assert.ok(match?.version === 2)
  assert.equal(match.states, new Array(40).fill('complete'))
})

test('D-088 addresses are host:port, IPv6 in brackets; URLs are understood', () => {
  const addresses = [
    { host: '2001:db8::1', port: 8008 },
    { host: 'peer.example', port: 1 },
  ]
  const text = textOf(encodeDiscovery(answer({ ...match1, addresses })))
  assert.ok(text.includes('<wsd:XAddrs>[2001:db8::1]:8008 peer.example:1</wsd:XAddrs>'))
  const read = (xaddrs: string): unknown => {
    const decoded = decodeDiscovery(bytes(text1.replace('157.59.141.183:54321', xaddrs)))
    if (typeof decoded === 'string' || decoded.type === 'probe') return decoded
    return decoded.matches[0]?.addresses
  }
  assert.equal(read('[2001:db8::1]:8008 peer.example:1'), addresses)
  assert.equal(read('\n http://[fe80::1%25eth0]:80/x \t'), [{ host: 'fe80::1%25eth0', port: 80 }])
  assert.equal(read('ftp://x y:0 z:65536 a:1'), [{ host: 'a', port: 1 }])
  assert.is(read('nothing at all'), 'match')
  assert.is((read('a:1 '.repeat(20)) as unknown[]).length, LIMITS.wsdAddresses)
})

test('D-080 any prefixes, blanks, CDATA and a missing declaration are understood', () => {
  const other = probe1
    .replace(/^<\?xml[^>]*\?>/, '')
    .replaceAll('soap:', 's:')
    .replaceAll('wsd:', 'disco:')
    .replaceAll('PeerDist:', 'q:')
    .replaceAll('xmlns:soap', 'xmlns:s')
    .replaceAll('xmlns:wsd', 'xmlns:disco')
    .replaceAll('xmlns:PeerDist', 'xmlns:q')
    .replaceAll('><', '>\r\n  <')
    .replace(PROBE_ID, ` <![CDATA[${PROBE_ID}]]>\n`)
  assert.equal(decodeDiscovery(bytes(other)), decodeDiscovery(bytes(probe1)))
  const renamed = decodeDiscovery(bytes(probe1.replace(' xmlns:PeerDist=', ' xmlns:X=')))
  assert.is(renamed, 'other', 'the prefix is not declared')
})

test('what is for others is told from what is malformed', () => {
  const fault = (text: string): unknown => decodeDiscovery(bytes(text))
  assert.is(fault(probe1.replace('PeerDist:PeerDistData<', 'wsd:Device<')), 'other')
  assert.is(fault(probe1.replace(/<wsd:Types>.*<\/wsd:Types>/, '')), 'other')
  assert.is(fault(probe1.replace('discovery/Probe<', 'discovery/Hello<')), 'other')
  assert.is(fault('<a/>'), 'other')
  assert.is(fault(probe1.replace(PROBE_ID, '')), 'header')
  assert.is(fault(probe1.replace(PROBE_ID, 'x'.repeat(257))), 'header')
  assert.is(fault(probe1.replace(/<wsd:Scopes.*<\/wsd:Scopes>/, '')), 'scopes')
  for (const scopes of ['', ' ', 'AB', 'G'.repeat(64), 'A'.repeat(63), `${'A'.repeat(64)},`]) {
    assert.is(fault(probeText('PeerDist:PeerDistData', STRCMP, scopes)), 'scopes')
  }
  assert.is(fault(probeText('PeerDist:PeerDistData', RULE_2, 'A'.repeat(64))), 'scopes')
  const raw = Buffer.from(PACKED, 'base64')
  for (const scopes of [
    '',
    '!',
    PACKED.slice(0, -1),
    raw.subarray(0, -1).toString('base64'),
    Buffer.concat([raw, Buffer.from([0])]).toString('base64'),
    Buffer.concat([Buffer.from([0, 31]), raw.subarray(2)]).toString('base64'),
    Buffer.from([0, 32, 0]).toString('base64'),
  ]) {
    assert.is(fault(probeText('PeerDist:PeerDistDataV2', RULE_2, scopes)), 'scopes')
  }
  const many = Array.from({ length: 256 }, () => 'AB'.repeat(32)).join(' ')
  assert.is(fault(probeText('PeerDist:PeerDistData', STRCMP, many)), 'scopes')
})

test('DA-9 block counts of 4 digits are understood, other lengths are not', () => {
  const counts = (digits: string): unknown => {
    const decoded = decodeDiscovery(bytes(text1.replace('0000002A00000200', digits)))
    if (typeof decoded === 'string' || decoded.type === 'probe') return decoded
    const [match] = decoded.matches
    return match?.version === 1 ? match.segments.map(({ blockCount }) => blockCount) : undefined
  }
  assert.equal(counts('002A0200'), [42, 512])
  assert.equal(counts('0000002a 00000200'), [42, 512])
  for (const digits of ['', '2A', '0000002A0000020', '0000002A0000020000000000', '002A020G']) {
    assert.is(counts(digits), 'match')
  }
})

test('entities, document types, depth, numbers and size are refused', () => {
  const fault = (text: string): unknown => decodeDiscovery(bytes(text))
  const bomb = '<!DOCTYPE a [<!ENTITY x "yyyy"><!ENTITY z "&x;&x;&x;">]>'
  assert.is(fault(probe1.replace('?>', `?>${bomb}`)), 'not-xml')
  assert.is(fault(probe1.replace(PROBE_ID, '&z;')), 'not-xml')
  assert.is(fault(probe1.replace('?>', '?><?php x?>')), 'not-xml')
  assert.is(fault(probe1.slice(0, -1)), 'not-xml')
  assert.is(fault(`${probe1}<a/>`), 'not-xml')
  assert.is(fault('<a>'.repeat(17) + '</a>'.repeat(17)), 'too-much')
  assert.is(fault(`<a>${'<b/>'.repeat(256)}</a>`), 'too-much')
  const attributes = Array.from({ length: 33 }, (_, i) => ` a${i}="x"`).join('')
  assert.is(fault(`<a${attributes}/>`), 'too-much')
  assert.is(fault(' '.repeat(LIMITS.wsdMessageBytes + 1)), 'too-long')
  assert.is(decodeDiscovery(Uint8Array.of(0xff, 0xfe)), 'not-text')
  assert.is(decodeDiscovery(new Uint8Array(0)), 'not-xml')
})

test('what a stranger wrote is escaped when it is echoed', () => {
  const relatesTo = '<&>"]]></wsa:RelatesTo>'
  const decoded = decodeDiscovery(encodeDiscovery({ ...answer(match1), relatesTo }))
  assert.ok(typeof decoded === 'object' && decoded.type === 'probe-matches')
  assert.is(decoded.relatesTo, relatesTo)
})

test('what makes no message is refused', () => {
  const code = (error: { code: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'
  const probe: Probe = { type: 'probe', version: 1, messageId: PROBE_ID, segmentIds: [id(1)] }
  for (const wrong of [
    { ...probe, segmentIds: [] },
    { ...probe, segmentIds: [id(1, 31)] },
    { ...probe, segmentIds: Array.from({ length: 256 }, () => id(1)) },
    { ...probe, version: 2, segmentIds: [id(1), id(1, 48)] },
    { ...probe, messageId: '' },
    answer({ ...match1, addresses: [] }),
    answer({ ...match1, addresses: [{ host: 'a b', port: 1 }] }),
    answer({ ...match1, segments: [{ id: id(1), spelling: 'x', blockCount: 1 }] }),
    { ...answer(match1), matches: [] },
    { ...answer(match1), messageNumber: -1 },
  ]) {
    assert.throws(() => encodeDiscovery(wrong as Probe), code)
  }
})

test.run()
