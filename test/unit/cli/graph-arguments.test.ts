import * as assert from 'uvu/assert'
import {
  parseAttribute,
  parseDate,
  parseDuration,
  parseListen,
  parseTerm,
} from '#lib/cli/graph/arguments.js'
import { eventText, oneLine, summary } from '#lib/cli/graph/print.js'
import { compileFilter } from '#lib/graph/search/filter.js'
import { suite } from '../../harness.js'

const test = suite('graph arguments')

test('attributes: a text unless a type is said', () => {
  assert.equal(parseAttribute('a=b=c'), { name: 'a', type: 'string', value: 'b=c' })
  assert.equal(parseAttribute('n:int=3'), { name: 'n', type: 'int', value: '3' })
  assert.equal(parseAttribute('d:date=2026-01'), { name: 'd', type: 'date', value: '2026-01' })
  assert.equal(parseAttribute('empty='), { name: 'empty', type: 'string', value: '' })
  for (const bad of ['', 'a', '=b', 'a b=c', 'a:float=1', 'ä=1', `${'n'.repeat(41)}=1`]) {
    assert.throws(() => parseAttribute(bad), /not name=value/, bad)
  }
})

test('terms become filters that the search takes', () => {
  assert.equal(parseTerm('a=b'), { attributes: { a: { type: 'string', equal: 'b' } } })
  assert.equal(parseTerm('a = b*'), { attributes: { a: { type: 'string', like: 'b*' } } })
  assert.equal(parseTerm('a!=b'), { attributes: { a: { type: 'string', notEqual: 'b' } } })
  assert.equal(parseTerm('n>=3'), { attributes: { n: { type: 'int', greaterOrEqual: '3' } } })
  assert.equal(parseTerm('n<3'), { attributes: { n: { type: 'int', less: '3' } } })
  assert.equal(parseTerm('n:string=007'), { attributes: { n: { type: 'string', equal: '007' } } })
  assert.equal(parseTerm('d:date<=2026'), {
    attributes: { d: { type: 'date', lessOrEqual: '2026' } },
  })
  assert.equal(parseTerm('n=3'), {
    or: [
      { attributes: { n: { type: 'int', equal: '3' } } },
      { attributes: { n: { type: 'string', equal: '3' } } },
    ],
  })
  for (const term of ['a=b', 'a=b*', 'a!=b', 'n>=3', 'n=3', 'd:date<=2026']) {
    compileFilter(parseTerm(term))
  }
  for (const bad of ['', 'a', '>3', 'n:int=x', 'a b=3']) {
    assert.throws(() => parseTerm(bad), /not/, bad)
  }
})

test('times, dates, addresses', () => {
  assert.equal(
    ['90s', '5m', '2h', '1.5d'].map(parseDuration),
    [90_000, 300_000, 7_200_000, 129_600_000],
  )
  for (const bad of ['', '5', 'm', '-5m', '1e3s', '5w']) {
    assert.throws(() => parseDuration(bad), /not a time/, bad)
  }
  assert.is(parseDate('2026-01-31T18:00Z'), '2026-01-31T18:00:00.000Z')
  assert.throws(() => parseDate('tomorrow'), /not a date/)
  assert.equal(parseListen('::1'), { address: '::1' })
  assert.equal(parseListen('[fe80::1%eth0]:7000'), { address: 'fe80::1%eth0', port: 7000 })
  assert.equal(parseListen('[::1]'), { address: '::1' })
  for (const bad of ['127.0.0.1', '[::1', '[::1]:70000', 'localhost', '::1]:5']) {
    assert.throws(() => parseListen(bad), /not/, bad)
  }
})

test('texts of strangers are short and harmless', () => {
  assert.is(oneLine('a\nb\u001b[2J\u202e'), 'a\\x0ab\\x1b[2J\\x202e')
  assert.is(oneLine('x'.repeat(1000)), `${'x'.repeat(60)}…`)
  assert.is(oneLine('🙂'.repeat(60)), '🙂'.repeat(60))
  const row = { bytes: 5, deleted: false } as Parameters<typeof summary>[0]
  assert.is(summary(row), '(5 bytes)')
  assert.is(summary({ ...row, deleted: true }), '(deleted)')
})

test('only who is alone is told so', () => {
  const event = { type: 'connection-required' }
  assert.match(eventText({ ...event, why: 'alone' }) ?? '', /nobody is left/)
  assert.is(eventText({ ...event, why: 'long-term-repair' }), undefined)
})

test.run()
