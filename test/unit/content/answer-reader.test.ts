// Answers of HTTP in all the forms that RFC 9112 allows, in pieces of every size.
import * as assert from 'uvu/assert'
import { AnswerReader } from '#lib/content/answer-reader.js'
import { LIMITS } from '#lib/core/limits.js'
import { test } from '../../harness.js'

const LIMIT = 1000
const body = 'x'.repeat(300) + '\r\n\r\n' + 'y'.repeat(200)

function read(text: string, piece: number): AnswerReader {
  const reader = new AnswerReader(LIMIT)
  const bytes = Buffer.from(text, 'latin1')
  // As on a socket: all pieces arrive in the same memory.
  const memory = Buffer.alloc(piece)
  for (let at = 0; at < bytes.length; at += piece) {
    const length = bytes.copy(memory, 0, at, at + piece)
    reader.push(memory.subarray(0, length))
  }
  return reader
}

const chunked = [
  ...['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '64', body.slice(0, 100)],
  ...['0190;name="a"', body.slice(100, 500), '4', body.slice(500), '000', 'Trailer: 1', '', ''],
].join('\r\n')

const HEAD = 'HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n'
const WHOLE: readonly (readonly [string, string, boolean])[] = [
  ['a length', `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`, true],
  ['no blank, other case', `${HEAD}content-LENGTH:${body.length}\r\n\r\n${body}`, true],
  ['a length twice', `${HEAD}${`Content-Length: 504 \r\n`.repeat(2)}\r\n${body}`, true],
  ['chunks', chunked, true],
  ['to be closed', `${HEAD}Connection: Close\r\nContent-Length: 504\r\n\r\n${body}`, false],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\nContent-Length: 504\r\n\r\n${body}`, false],
  ['no reason', `HTTP/1.1 200\r\nContent-Length: 504\r\n\r\n${body}`, true],
  ['after another', `HTTP/1.1 100 Continue\r\n\r\n${HEAD}Content-Length: 504\r\n\r\n${body}`, true],
]

test('answers of every form are put together from pieces of every size', () => {
  for (const [name, text, isReusable] of WHOLE) {
    for (const piece of [1, 2, 3, 7, 64, 511, 4096]) {
      const reader = read(text, piece)
      assert.equal([reader.state, reader.status], ['done', 200], `${name}, ${piece}`)
      assert.is(Buffer.from(reader.body).toString('latin1'), body, `${name}, ${piece}`)
      assert.is(reader.isReusable, isReusable, name)
      reader.end()
      assert.is(reader.state, 'done')
    }
  }
})

test('without a length the answer ends with the connection', () => {
  for (const piece of [1, 100, 4096]) {
    const reader = read(`${HEAD}\r\n${body}`, piece)
    assert.is(reader.state, 'rest')
    reader.end()
    assert.is(reader.state, 'done')
    assert.is(Buffer.from(reader.body).toString('latin1'), body)
    assert.not(reader.isReusable)
  }
})

test('another status ends it, and bytes that nobody asked for end the connection', () => {
  const found = read('HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found', 5)
  assert.equal([found.state, found.status, found.isReusable], ['done', 404, false])
  const more = read(`${HEAD}Content-Length: 3\r\n\r\nabcd`, 4096)
  assert.equal([more.state, more.isReusable], ['done', false])
  const none = read(`${HEAD}Content-Length: 0\r\n\r\n`, 4096)
  assert.equal([none.state, none.body.length, none.isReusable], ['done', 0, true])
})

test('what is no answer, too long, or contradicts itself is refused', () => {
  const wrong: readonly string[] = [
    'HTTP/2 200\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    `${HEAD}Content-Length: 1001\r\n\r\n`,
    `${HEAD}Content-Length: -1\r\n\r\n`,
    `${HEAD}Content-Length: 0x10\r\n\r\n`,
    `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
    `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n${'0'.repeat(20_000)}`,
    `${HEAD}\r\n${'x'.repeat(1001)}`,
    `${HEAD}X: ${'x'.repeat(20_000)}`,
  ]
  for (const text of wrong) {
    for (const piece of [1, 4096]) assert.is(read(text, piece).state, 'bad', text.slice(0, 120))
  }
})

test('an endless row of chunks of one byte ends the answer long before its bytes would', () => {
  const reader = new AnswerReader(393_220)
  reader.push(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'))
  for (let i = 0; i < LIMITS.retrievalChunks; i++) reader.push(Buffer.from('1\r\na\r\n'))
  assert.is(reader.state, 'chunks')
  reader.push(Buffer.from('1\r\na\r\n'))
  assert.is(reader.state, 'bad')
})

test('an answer that is cut off anywhere is none', () => {
  for (const [name, text] of WHOLE) {
    for (const length of [0, 5, 20, text.length - 250, text.length - 1]) {
      const reader = read(text.slice(0, length), 64)
      reader.end()
      assert.is(reader.state, 'bad', `${name} up to ${length}`)
    }
  }
})

test.run()
