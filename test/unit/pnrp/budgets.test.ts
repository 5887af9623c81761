import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { Budget, defaultBudgets } from '#lib/pnrp/budgets.js'
import { test } from '../../harness.js'
import { at, globalAt } from '../../support/publisher-harness.js'

const plenty = { perSecond: 1e9, burst: 1e9 }

function takenOf(budget: Budget, now: number, from = at(5000), tries = 1000): number {
  let taken = 0
  for (let i = 0; i < tries; i++) if (budget.take(now, from)) taken++
  return taken
}

test('a burst, then what refills', () => {
  const budget = new Budget({ total: { perSecond: 10, burst: 50 } })
  assert.is(takenOf(budget, seconds(1)), 50)
  assert.is(takenOf(budget, seconds(2)), 10)
  assert.is(takenOf(budget, seconds(2.5)), 5)
  assert.is(takenOf(budget, seconds(1000)), 50, 'no more than the burst is saved')
})

test('an address, a /64 and all together', () => {
  const budget = new Budget({
    total: { perSecond: 0, burst: 35 },
    prefix: { perSecond: 0, burst: 20 },
    address: { perSecond: 0, burst: 10 },
  })
  assert.is(takenOf(budget, 0, globalAt(1, 1)), 10)
  assert.is(takenOf(budget, 0, globalAt(2, 1)), 10)
  assert.is(takenOf(budget, 0, globalAt(3, 1)), 0, 'its prefix is spent')
  assert.is(takenOf(budget, 0, globalAt(1, 2)), 10)
  assert.is(takenOf(budget, 0, globalAt(1, 3)), 5, 'the total is spent')
})

test('a refusal draws from no bucket', () => {
  const budget = new Budget({
    total: { perSecond: 0, burst: 12 },
    address: { perSecond: 0, burst: 10 },
  })
  assert.is(takenOf(budget, 0, globalAt(1)), 10)
  assert.is(takenOf(budget, 0, globalAt(2)), 2)
})

test('a costly answer draws more', () => {
  const budget = new Budget({ total: { perSecond: 0, burst: 10 } })
  assert.ok(budget.take(0, at(1), 7))
  assert.not.ok(budget.take(0, at(1), 7))
  assert.ok(budget.take(0, at(1), 3))
})

test('the table of sources is bounded; the least recent is forgotten', () => {
  const budget = new Budget({ total: plenty, address: { perSecond: 0, burst: 1 } })
  assert.ok(budget.take(0, globalAt(1)))
  for (let host = 2; host <= LIMITS.budgetSources; host++) budget.take(0, globalAt(host))
  const later = seconds(5)
  assert.not.ok(budget.take(later, globalAt(1)), 'remembered, and now the most recent')
  for (let host = 10_000; host < 10_000 + LIMITS.budgetSources - 1; host++) {
    budget.take(later, globalAt(host))
    assert.ok(budget.sources <= LIMITS.budgetSources)
  }
  assert.not.ok(budget.take(later, globalAt(1)), 'all others went first')
  budget.take(later, globalAt(30_000))
  assert.ok(budget.take(later, globalAt(1)), 'forgotten')
})

test('sources that have long been quiet are forgotten', () => {
  const budget = new Budget({ total: plenty, address: { perSecond: 10, burst: 20 } })
  for (let host = 1; host <= 300; host++) budget.take(0, globalAt(host))
  assert.is(budget.sources, 300)
  for (let second = 3; second <= 200; second++) budget.take(seconds(second), globalAt(1000))
  assert.is(budget.sources, 1)
})

test('on loopback and on a link what nodes share is not limited', () => {
  const loopback = defaultBudgets('loopback')
  assert.is(loopback.inquire.address, undefined)
  assert.is(loopback.inquire.prefix, undefined)
  const link = defaultBudgets('link-local')
  assert.is(link.inquire.prefix, undefined)
  assert.equal(link.inquire.address, LIMITS.budgets.inquire.address)
  const global = defaultBudgets('global')
  assert.equal(global.solicit, LIMITS.budgets.solicit)
})

test.run()
