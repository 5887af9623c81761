// The fuzzer of discovery's XML with fixed seeds; `npm run fuzz` lets it search for as long as one
// likes.
import * as assert from 'uvu/assert'
import { decodeDiscovery } from '#lib/discovery/wsd/read.js'
import { test } from '../harness.js'
import { corpus, search } from './discovery-xml.js'

/** The corpus itself, then mutations of it. */
const INPUTS = 1500

test('D-093 discovery XML: the corpus and what is made of it are judged, and draw what they may', () => {
  for (const seed of [1, 2]) {
    const { failure, inputs, outcomes } = search(seed, (done) => done < INPUTS)
    if (failure !== undefined) {
      const text = Buffer.from(failure.input).toString()
      assert.unreachable(`seed ${seed}, input ${inputs}: ${String(failure.error)}\n${text}`)
    }
    assert.ok(outcomes > 8, 'it gets beyond the first faults')
  }
})

test('the canary: a decoder that cannot stand one kind of fault is found out', () => {
  const weak = (bytes: Uint8Array): ReturnType<typeof decodeDiscovery> => {
    const decoded = decodeDiscovery(bytes)
    // Nothing in the corpus is so deep or so rich.
    if (decoded === 'too-much') throw new RangeError('canary')
    return decoded
  }
  for (const bytes of corpus()) weak(bytes)
  const { failure } = search(1, (done) => done < INPUTS, weak)
  assert.match(String(failure?.error), /canary/)
})

test.run()
