// What requests offer, read from their headers. Expected values from MS-PCCRTP 2.2 and RFC 9110.
import * as assert from 'uvu/assert'
import { acceptsCoding, readOffer } from '#lib/content/http-coding.js'
import { test } from '../../harness.js'

test('D-030 the parts of a version are numbers without blanks around the dot', () => {
  const offerOf = (version: string) =>
    readOffer({ 'accept-encoding': 'peerdist', 'x-p2p-peerdist': `Version=${version}` })
  assert.is(offerOf('1.0')?.version, '1.0')
  assert.is(offerOf('1.1')?.version, '1.1')
  assert.is(offerOf('1.10')?.version, '1.1', 'above 1.9')
  assert.is(offerOf('01.01')?.version, '1.1')
  for (const wrong of ['1 .1', '1. 1', '2.0', '1', '.1', '1.1.1', 'x', '']) {
    assert.is(offerOf(wrong), undefined, wrong)
  }
  assert.is(readOffer({ 'accept-encoding': 'peerdist' }), undefined, 'it has to be said')
})

test('D-027 the coding is one of a list, in any case, unless its weight is 0', () => {
  for (const yes of ['peerdist', 'gzip, PeerDist', 'PEERDIST;q=0.001,br', 'peerdist ; q=1.0']) {
    assert.ok(acceptsCoding(yes), yes)
  }
  for (const no of ['', 'gzip', '*', 'peerdist2', 'peerdist;q=0', 'PeerDist; Q=0.000, gzip']) {
    assert.not(acceptsCoding(no), no)
  }
})

test('D-040 a request for missing data takes no content information', () => {
  const headers = { 'accept-encoding': 'peerdist' }
  const says = (value: string) =>
    readOffer({ ...headers, 'x-p2p-peerdist': `Version=1.1, MissingDataRequest=${value}` })
  assert.is(says('true'), undefined)
  assert.ok(says('maybe'), 'DA-34: other values say nothing')
})

test.run()
