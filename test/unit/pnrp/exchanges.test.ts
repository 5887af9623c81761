// The Pending List and its timers, MS-PNRP 3.1.2 and 3.1.6.3.
import * as assert from 'uvu/assert'
import { Deadlines, type Timed } from '#lib/core/deadlines.js'
import { LIMITS } from '#lib/core/limits.js'
import { Exchanges, type ExchangeHost, type ExchangeRequest } from '#lib/pnrp/exchanges.js'
import type { CloudTransmit } from '#lib/pnrp/interface.js'
import type { Exchange, ExchangeOwner } from '#lib/pnrp/parts.js'
import { test } from '../../harness.js'
import { endpoint } from '../../support/route-entries.js'

const SECOND = 1_000_000

class Host implements ExchangeHost, ExchangeOwner {
  now = 0
  readonly timers = new Deadlines<Timed>()
  readonly sentAt: number[] = []
  readonly log: string[] = []
  readonly ended: number[] = []
  readonly exchanges = new Exchanges(this)

  transmit(_: CloudTransmit): void {
    this.sentAt.push(this.now)
  }

  exchangeEnded(exchange: Exchange): void {
    this.ended.push(exchange.messageId)
  }

  onSoftTimeout(exchange: Exchange): void {
    this.log.push(`soft ${exchange.retryCount} at ${this.now}`)
  }

  onGivenUp(): void {
    this.log.push(`given up at ${this.now}`)
  }

  start(messageId: number, extra: Partial<ExchangeRequest> = {}): Exchange | undefined {
    return this.exchanges.start({
      kind: 'LOOKUP',
      messageId,
      to: endpoint(9),
      data: new Uint8Array(1),
      reason: 0,
      owner: this,
      ...extra,
    })
  }

  runUntil(until: number): void {
    while (this.timers.next() <= until) {
      this.now = this.timers.next()
      this.timers.takeDue(this.now)?.onTimer()
    }
    this.now = until
  }
}

test('PNRP-3.1.6.3-1 PNRP-3.1.6.3-2 PNRP-3.1.6.3-3 PNRP-3.1.6.3-4 PNRP-3.1.2-3 sent at 0 s and 1 s, given up and reported at 2 s', () => {
  const host = new Host()
  assert.is(host.start(1)?.retryCount, LIMITS.retransmissionCount)
  host.runUntil(10 * SECOND)
  assert.equal(host.sentAt, [0, SECOND])
  assert.equal(host.log, [`given up at ${2 * SECOND}`])
  assert.equal(host.ended, [1])
  assert.is(host.exchanges.size, 0)
  assert.is(host.timers.size, 0)
})

test('the soft timeout is told after each transmission, and changes nothing else', () => {
  const host = new Host()
  host.start(1, { softTimeoutUs: 20_000 })
  host.runUntil(10 * SECOND)
  assert.equal(host.log, ['soft 2 at 20000', 'soft 1 at 1020000', `given up at ${2 * SECOND}`])
  assert.equal(host.sentAt, [0, SECOND])
})

test('a soft timeout longer than the retransmission interval is none', () => {
  const host = new Host()
  host.start(1, { softTimeoutUs: SECOND })
  host.runUntil(10 * SECOND)
  assert.equal(host.log, [`given up at ${2 * SECOND}`])
})

test('a finished exchange is silent, and no longer matched', () => {
  const host = new Host()
  host.start(1)
  assert.ok(host.exchanges.finish(1))
  assert.not(host.exchanges.finish(1))
  host.runUntil(10 * SECOND)
  assert.equal(host.log, [])
  assert.equal(host.sentAt, [0])
  assert.is(host.exchanges.match(1, endpoint(9), 'LOOKUP'), undefined)
})

test('N-35 an answer matches by Message ID, kind and source', () => {
  const host = new Host()
  const exchange = host.start(1, { alternates: [endpoint(10)] })
  assert.is(host.exchanges.match(1, endpoint(9), 'INQUIRE', 'LOOKUP'), exchange)
  assert.is(host.exchanges.match(1, endpoint(10), 'LOOKUP'), exchange)
  assert.is(host.exchanges.match(2, endpoint(9), 'LOOKUP'), undefined)
  assert.is(host.exchanges.match(1, endpoint(9), 'INQUIRE'), undefined)
  assert.is(host.exchanges.match(1, endpoint(11), 'LOOKUP'), undefined)
  assert.is(host.exchanges.match(1, endpoint(9, 3541), 'LOOKUP'), undefined)
})

test('the list is bounded', () => {
  const host = new Host()
  for (let i = 0; i < LIMITS.pendingExchanges; i++) assert.ok(host.start(i))
  assert.is(host.start(99_999), undefined)
  assert.is(host.sentAt.length, LIMITS.pendingExchanges)
  host.exchanges.clear()
  assert.is(host.timers.size, 0)
  assert.ok(host.start(99_999))
})

test.run()
