import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { Dialect } from '#lib/pnrp/dialect.js'
import { test } from '../../harness.js'

test('a dialect begins as the specification has it, all of it assumed', () => {
  assert.equal(new Dialect().snapshot(), {
    classifierEncoding: 'utf-16le (assumed)',
    signatureByteOrder: 'spec (assumed)',
    serviceLocationOrder: 'reversed (assumed)',
    authorityOrder: 'reversed (assumed)',
    classifierHashOrder: 'natural (assumed)',
    revokeNonce: 'present (assumed)',
  })
})

test('N-43 the first observation settles a trait', () => {
  const dialect = new Dialect()
  assert.ok(dialect.learn('signatureByteOrder', 'capi'))
  assert.is(dialect.signatureByteOrder, 'capi')
  assert.is(dialect.snapshot()['signatureByteOrder'], 'capi (observed)')
  const confirmed = new Dialect()
  assert.not(confirmed.learn('signatureByteOrder', 'spec'))
  assert.is(confirmed.snapshot()['signatureByteOrder'], 'spec (observed)')
})

test('hostile: what is settled is overturned by a row of observations only', () => {
  const dialect = new Dialect()
  dialect.learn('revokeNonce', 'present')
  for (let round = 0; round < 10; round++) {
    for (let i = 1; i < LIMITS.dialectEvidence; i++) {
      assert.not(dialect.learn('revokeNonce', 'absent'))
    }
    dialect.learn('revokeNonce', 'present')
  }
  assert.is(dialect.revokeNonce, 'present')
  const changes = Array.from({ length: LIMITS.dialectEvidence }, () =>
    dialect.learn('revokeNonce', 'absent'),
  )
  assert.is(changes.filter(Boolean).length, 1)
  assert.is(dialect.revokeNonce, 'absent')
})

test('a configured trait is never learned', () => {
  const dialect = new Dialect({ classifierEncoding: 'utf-8' })
  for (let i = 0; i < 100; i++) assert.not(dialect.learn('classifierEncoding', 'utf-16le'))
  assert.equal(dialect.classifierEncodings(), ['utf-8'])
  assert.is(dialect.snapshot()['classifierEncoding'], 'utf-8 (configured)')
})

test('N-02 names are looked for in every encoding that was observed, the settled one first', () => {
  const dialect = new Dialect()
  assert.equal(dialect.classifierEncodings(), ['utf-16le'])
  dialect.learn('classifierEncoding', 'utf-16le')
  dialect.learn('classifierEncoding', 'utf-8')
  assert.equal(dialect.classifierEncodings(), ['utf-16le', 'utf-8'])
})

test.run()
