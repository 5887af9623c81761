// The mirrors of C in TypeScript: outcome codes and the words of a descriptor row.
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { addon } from '#lib/native/addon.js'
import { NATIVE_CODES, nativeCode } from '#lib/native/codes.js'
import * as graphRows from '#lib/wire/graph/rows.js'
import * as rows from '#lib/wire/rows.js'
import { test } from '../../harness.js'

const layout = addon.codecLayout

test('codes.ts is err.def, in its order', () => {
  const text = readFileSync('native/core/err.def', 'utf8')
  const names = [...text.matchAll(/^PN_ERR\((\w+), /gm)].map((match) => `ERR_PEERNET_${match[1]}`)
  assert.ok(names.length > 20)
  assert.equal(['OK', ...names], [...NATIVE_CODES])
})

test('spec/errors.md lists the codes of decoding with the words of err.def', () => {
  const text = readFileSync('native/core/err.def', 'utf8')
  const parts = text.split(/^\/\* (?=[A-Z][^\n]*\. ?(?:The|\*\/))/m)
  const decoding = parts.filter((part) => !/^(Encoding|Reassembly)/.test(part)).join('')
  const defined = [...decoding.matchAll(/^PN_ERR\((\w+), "(.*)"\)/gm)]
  const page = readFileSync('spec/errors.md', 'utf8')
  const listed = [...page.matchAll(/^\| `ERR_PEERNET_(\w+)` \| ([^|]+) \|$/gm)]
  const pairs = (matches: RegExpExecArray[]) => matches.map(([, name, words]) => [name, words])
  assert.equal(pairs(listed), pairs(defined))
})

test('the addon numbers its codes as codes.ts does', () => {
  for (const [number, code] of NATIVE_CODES.entries()) assert.is(layout[code], number, code)
  assert.is(nativeCode(1), 'ERR_PEERNET_TRUNCATED')
  assert.is(nativeCode(0), 'ERR_PEERNET_NATIVE')
  assert.is(nativeCode(NATIVE_CODES.length), 'ERR_PEERNET_NATIVE')
})

test('rows.ts names every word of a row, at its place in the C structs', () => {
  const parts = {
    msg: rows.MessageRow,
    authority: rows.BufferRow,
    cpa: rows.CpaRow,
    extended_payload: rows.PayloadRow,
  }
  const named = new Map<string, number>()
  for (const [part, words] of Object.entries(parts)) {
    for (const [name, index] of Object.entries(words)) {
      const field = name
        .toLowerCase()
        .replace(/^route_/, 'route.')
        .replace('route.id', 'route.pnrp_id')
      named.set(`${part}.${field}`, index)
    }
  }
  const inC = Object.entries(layout).filter(([name]) => name.includes('.'))
  assert.equal(new Map([...named].sort()), new Map(inC.sort()))
  assert.is(rows.ROW_WORDS, layout['words'])
  assert.is(named.size, rows.ROW_WORDS)
})

test('the words of graph rows are at their places in the C structs', () => {
  const parts = {
    msg: graphRows.MessageRow,
    record: graphRows.RecordRow,
    stream: graphRows.StreamRow,
    info: graphRows.InfoRow,
    node: graphRows.NodeRow,
  }
  const named = new Map<string, number>()
  for (const [part, words] of Object.entries(parts)) {
    for (const [name, index] of Object.entries(words)) {
      const field = name.toLowerCase().replace(part === 'stream' ? /^graph_/ : /^$/, 'graph.')
      named.set(`${part}.${field}`, index)
    }
  }
  const { row, stream, known, ...inC } = addon.graphLayout
  assert.equal(new Map([...named].sort()), new Map(Object.entries(inC).sort()))
  assert.is(graphRows.ROW_WORDS, row)
  assert.is(graphRows.STREAM_WORDS, stream)
  assert.is(4 * graphRows.KNOWN_SETS, known)
})

test('the bits of PRESENT and the depths of looking are those of C', () => {
  const header = ['pnrp_msg.h', 'pnrp_datagram.h']
    .map((name) => readFileSync(`native/core/${name}`, 'utf8'))
    .join('')
  const define = (name: string): number => {
    const value = new RegExp(`${name} (0x[0-9a-f]+|\\d+)u`).exec(header)?.[1]
    return Number(value)
  }
  const { PAYLOAD_FIELDS, ...present } = rows.Present
  for (const [name, bit] of Object.entries(present)) assert.is(define(`PN_HAS_${name}`), bit, name)
  assert.is(define('PN_HAS_EXTENDED_PAYLOAD_FIELDS'), PAYLOAD_FIELDS)
  assert.is(define('PN_LOOK_REVOKE'), rows.Look.REVOKE)
  assert.is(define('PN_LOOK_BUFFER'), rows.Look.BUFFER)
  assert.is(define('PN_LOOK_STRUCTURES'), rows.Look.STRUCTURES)
})

test.run()
