// Nearest on the ring: compared with a search through all by BigInt arithmetic (N-23).
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { LocalIdList } from '#lib/pnrp/local-ids.js'
import type { LocalRegistration } from '#lib/pnrp/parts.js'
import { test } from '../../harness.js'
import { at, SPEC, toId, toNumber } from '../../support/publisher-harness.js'

const RING = 1n << 256n

function listOf(numbers: readonly bigint[]): LocalIdList<LocalRegistration> {
  const list = new LocalIdList<LocalRegistration>(() => [at(3540)])
  numbers.forEach((n, handle) => list.add({ handle, pnrpId: toId(n), spec: SPEC }))
  return list
}

function nearestByHand(numbers: readonly bigint[], target: bigint): bigint | undefined {
  const distance = (n: bigint): bigint => {
    const d = (((n - target) % RING) + RING) % RING
    return d < RING - d ? d : RING - d
  }
  return [...numbers].sort((a, b) => {
    const difference = distance(a) - distance(b)
    if (difference !== 0n) return difference < 0n ? -1 : 1
    return a < b ? -1 : 1
  })[0]
}

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: RING - 1n }),
  fc.bigInt({ min: 0n, max: 8n }),
  fc.bigInt({ min: RING - 8n, max: RING - 1n }),
)
const numbers = fc.uniqueArray(number, { maxLength: 12 })

test('the nearest local ID, with and without exclusions', () => {
  fc.assert(
    fc.property(numbers, number, fc.nat(12), (all, target, excluded) => {
      const list = listOf(all)
      const found = list.nearest(toId(target))
      assert.is(found && toNumber(found.pnrpId), nearestByHand(all, target))
      const exclude = all.slice(0, excluded)
      const other = list.nearest(toId(target), exclude.map(toId))
      assert.is(other && toNumber(other.pnrpId), nearestByHand(all.slice(excluded), target))
    }),
  )
})

test('found by ID and by handle until removed', () => {
  fc.assert(
    fc.property(numbers, fc.nat(12), (all, removed) => {
      const list = listOf(all)
      for (let handle = 0; handle < Math.min(removed, all.length); handle++) {
        const registration = list.withHandle(handle)
        assert.ok(registration)
        assert.ok(list.remove(registration))
        assert.not.ok(list.remove(registration))
      }
      all.forEach((n, handle) => {
        const expected = handle < removed ? undefined : handle
        assert.is(list.find(toId(n))?.handle, expected)
        assert.is(list.withHandle(handle)?.handle, expected)
      })
      const left = [...list.all()].map(({ pnrpId }) => toNumber(pnrpId))
      assert.equal(
        left,
        all.slice(removed).sort((a, b) => (a < b ? -1 : 1)),
      )
    }),
  )
})

test('route entries follow the Local Endpoint List', () => {
  let endpoints = [at(3540)]
  const list = new LocalIdList<LocalRegistration>(() => endpoints)
  const registration = { handle: 1, pnrpId: toId(5n), spec: SPEC }
  list.add(registration)
  assert.equal(list.routeEntry(registration), {
    pnrpId: toId(5n),
    port: 3540,
    addresses: [at(3540).address],
  })
  endpoints = [at(3600)]
  assert.is(list.routeEntry(registration).port, 3600)
})

test.run()
