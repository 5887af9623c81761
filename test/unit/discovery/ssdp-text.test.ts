// Messages as Windows writes them (field notes), and what others make of the format.
import * as assert from 'uvu/assert'
import { parseAddress } from '#lib/core/address-text.js'
import { LIMITS } from '#lib/core/limits.js'
import {
  decodeSsdp,
  encodeAlive,
  encodeByebye,
  encodeResponse,
  encodeSearch,
} from '#lib/discovery/ssdp/messages.js'
import { test } from '../../harness.js'

const TARGET = 'urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal'
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1')
const crlf = (...lines: string[]): Uint8Array => bytes([...lines, '', ''].join('\r\n'))
const endpoint = (address: string, port: number) => {
  const parsed = parseAddress(address)
  assert.ok(parsed)
  return { address: parsed.address, port }
}
const reasonOf = (data: Uint8Array): string | undefined => {
  const decoded = decodeSsdp(data)
  return decoded.ok ? undefined : decoded.reason
}
const messageOf = (data: Uint8Array) => {
  const decoded = decodeSsdp(data)
  assert.ok(decoded.ok, reasonOf(data))
  return decoded.message
}

test('PNRP-3.1.4.2.2-2 N-39 a search has the form in which Windows sends it', () => {
  assert.is(
    text(encodeSearch(TARGET)),
    'M-SEARCH * HTTP/1.1\r\n' +
      'Host:[FF02::C]:1900\r\n' +
      'ST:urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:LinkLocal\r\n' +
      'Man:"ssdp:discover"\r\n' +
      'MX:3\r\n' +
      '\r\n',
  )
})

// Headers of a reply recorded from Windows XP, with example addresses.
const RECORDED = crlf(
  'HTTP/1.1 200 OK',
  `ST:${TARGET}`,
  'USN:[fe80::1234:5678:9abc:def0]:3540',
  'Location:192.168.1.1',
  'AL:[fe80::1234:5678:9abc:def0]:3540',
  'OPT:"http://schemas.upnp.org/upnp/1/0/"; ns=01',
  '01-NLS:b9200ebb-736d-4b93-bf03-835149d13983',
  'Cache-Control:max-age=14400',
  'Server:Microsoft-Windows-NT/5.1 UPnP/1.0 UPnP-Device-Host/1.0',
  'Ext:',
)

test('PNRP-3.1.5.1-2 a reply of Windows is read: the endpoint stands in AL', () => {
  assert.equal(messageOf(RECORDED), {
    type: 'response',
    searchTarget: TARGET,
    endpoint: endpoint('fe80::1234:5678:9abc:def0', 3540),
  })
})

test('without AL the endpoint is taken from USN; a wrong AL is not replaced by it', () => {
  const head = ['HTTP/1.1 200 OK', `ST:${TARGET}`, 'USN:[fe80::2]:4000']
  const message = messageOf(crlf(...head))
  assert.ok(message.type === 'response')
  assert.equal(message.endpoint, endpoint('fe80::2', 4000))
  assert.is(reasonOf(crlf(...head, 'AL:fe80::2')), 'endpoint')
})

test('PNRP-3.1.5.1-2 anything but [IPv6]:port in AL is discarded', () => {
  const bad = [
    '',
    'fe80::1:3540',
    '[fe80::1]',
    '[fe80::1]:',
    '[fe80::1]:65536',
    '[fe80::1]:123456',
    '[fe80::1]:-1',
    '[fe80::1]:35 40',
    '[fe80::1%2]:3540',
    '[192.0.2.1]:3540',
    '192.0.2.1:3540',
    '[]:3540',
    '[fe80:::1]:3540',
    '[g::]:3540',
    '[fe80::1]:3540/path',
    'http://[fe80::1]:3540',
    `[${'0'.repeat(60)}::1]:3540`,
  ]
  for (const al of bad) {
    assert.is(reasonOf(crlf('HTTP/1.1 200 OK', `ST:${TARGET}`, `AL:${al}`)), 'endpoint', al)
  }
})

test('own messages are understood again', () => {
  const where = endpoint('2001:db8::5', 3540)
  const about = { searchTarget: TARGET, endpoint: where }
  assert.equal(messageOf(encodeResponse(TARGET, where)), { type: 'response', ...about })
  assert.equal(messageOf(encodeAlive(TARGET, where)), { type: 'alive', ...about })
  assert.equal(messageOf(encodeByebye(TARGET, where)), { type: 'byebye', searchTarget: TARGET })
  assert.equal(messageOf(encodeSearch(TARGET)), {
    type: 'search',
    searchTarget: TARGET,
    mxSeconds: 3,
  })
})

test('PNRP-3.2.4.1-19 an answer gives the address as [IPv6]:port', () => {
  const answer = text(encodeResponse(TARGET, endpoint('fe80::ab', 3540)))
  assert.match(answer, /\r\nAL:\[fe80::ab\]:3540\r\n/)
})

test('other spellings are read: blanks, letter case, bare line feeds, no last line', () => {
  const search = bytes(`m-search  *  http/1.0\nst :  ${TARGET} \nMAN: ssdp:discover\nmx:\t5`)
  assert.equal(messageOf(search), { type: 'search', searchTarget: TARGET, mxSeconds: 5 })
  const notify = crlf('NOTIFY * HTTP/1.1', `NT: ${TARGET}`, 'NTS: SSDP:ALIVE', 'AL: [::5]:1')
  assert.is(messageOf(notify).type, 'alive')
})

test('of a header that comes twice the first counts; after an empty line nothing', () => {
  const twice = crlf('HTTP/1.1 200 OK', `ST:${TARGET}`, 'AL:[::5]:2000', 'AL:[::6]:2000', '', 'x')
  const message = messageOf(twice)
  assert.ok(message.type === 'response')
  assert.equal(message.endpoint, endpoint('::5', 2000))
})

test('MX above 120 means 120', () => {
  const search = ['M-SEARCH * HTTP/1.1', `ST:${TARGET}`, 'MAN:"ssdp:discover"']
  assert.equal(messageOf(crlf(...search, 'MX:999999999')), {
    type: 'search',
    searchTarget: TARGET,
    mxSeconds: 120,
  })
})

test('each malformed message has its reason', () => {
  const search = ['M-SEARCH * HTTP/1.1', `ST:${TARGET}`]
  const cases: [string, Uint8Array][] = [
    ['too-long', bytes('x'.repeat(LIMITS.ssdpMessageBytes + 1))],
    ['not-text', bytes('M-SEARCH * HTTP/1.1\r\nST:a\0b\r\n\r\n')],
    ['start-line', new Uint8Array(0)],
    ['start-line', crlf('GET / HTTP/1.1')],
    ['start-line', crlf('HTTP/1.1 404 Not Found')],
    ['start-line', crlf('HTTP/1.1 2000 OK')],
    ['start-line', crlf('M-SEARCH * HTTP/2.0')],
    ['too-many-lines', crlf(...search, ...Array.from({ length: LIMITS.ssdpLines }, () => 'a:b'))],
    ['header', crlf(...search, 'no colon')],
    ['header', crlf(...search, ': no name')],
    ['header', crlf(...search, `a:${'b'.repeat(LIMITS.ssdpLineBytes)}`)],
    ['search-target', crlf('M-SEARCH * HTTP/1.1', 'MAN:"ssdp:discover"', 'MX:1')],
    ['search-target', crlf('HTTP/1.1 200 OK', 'ST:', 'AL:[::5]:2000')],
    ['search-target', crlf('NOTIFY * HTTP/1.1', `ST:${TARGET}`, 'NTS:ssdp:alive')],
    ['man', crlf(...search, 'MX:1')],
    ['man', crlf(...search, 'MAN:"ssdp:other"', 'MX:1')],
    ['mx', crlf(...search, 'MAN:"ssdp:discover"')],
    ['mx', crlf(...search, 'MAN:"ssdp:discover"', 'MX:-1')],
    ['mx', crlf(...search, 'MAN:"ssdp:discover"', 'MX:1.5')],
    ['mx', crlf(...search, 'MAN:"ssdp:discover"', 'MX:9999999999')],
    ['endpoint', crlf('HTTP/1.1 200 OK', `ST:${TARGET}`)],
    ['notification-type', crlf('NOTIFY * HTTP/1.1', `NT:${TARGET}`, 'NTS:ssdp:update')],
  ]
  for (const [reason, data] of cases) assert.is(reasonOf(data), reason, text(data))
})

test.run()
