// Links under a security provider (MS-PPGRH 3.1.5.1, 3.1.7.1): two machines back to back, or one
// whose peer is a session of the same provider.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { seconds } from '#lib/core/instant.js'
import { LIMITS } from '#lib/core/limits.js'
import { PING_TYPE } from '#lib/graph/constants.js'
import type { GraphLink } from '#lib/graph/link.js'
import type { LinkState } from '#lib/graph/parts.js'
import { encodeGraphMessage } from '#lib/wire/graph/codec.js'
import { frame } from '#lib/wire/graph/frames.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import { GraphMessageReader } from '#lib/wire/graph/stream-reader.js'
import { test } from '../../harness.js'
import {
  authInfo,
  connectOf,
  framed,
  GRAPH_ID,
  guidOf,
  hostAt,
  LinkHarness,
  PEER_TIME_0,
  recordOf,
} from '../../support/link-harness.js'
import type { XorSession } from '../../support/xor-provider.js'
import { XorProvider, type XorOptions } from '../../support/xor-provider.js'

const ping: GraphMessage = { type: 'PT2PT', dataType: PING_TYPE, data: new Uint8Array(0) }

/** A node with the provider, and the peer's end of one of its connections. */
class Secured {
  readonly provider: XorProvider
  readonly node: LinkHarness
  /** The peer's session. */
  readonly peer: XorSession
  readonly #reader = new GraphMessageReader({
    maxMessage: 64 * 1024 * 1024,
    stringOrder: 'big-endian',
    graphId: GRAPH_ID,
  })
  connection = 0

  constructor(options: XorOptions = {}) {
    this.provider = new XorProvider(options)
    this.node = new LinkHarness({ security: this.provider })
    this.peer = new XorProvider({ ...options, late: false }).openSession({
      connection: 0,
      initiator: true,
      direct: false,
      peerId: undefined,
    })
  }

  accept(): this {
    this.connection = this.node.accept()
    this.node.from(this.connection, authInfo())
    this.node.readFrames(this.connection)
    this.peer.start()
    return this
  }

  get link(): GraphLink {
    const links = this.node.links as unknown as { get(id: number): GraphLink }
    return links.get(this.connection)
  }

  get states(): [string, LinkState] {
    return [this.link.connectionState, this.link.state]
  }

  get session(): XorSession {
    return this.provider.sessions.at(-1) as XorSession
  }

  /** What the peer's session has to send. */
  deliver(change?: (bytes: Uint8Array) => void): void {
    for (;;) {
      const output = this.peer.poll()
      if (output === undefined) return
      if (output.type !== 'frame') continue
      const bytes = frame(output.bytes)
      change?.(bytes)
      this.node.bytes(this.connection, bytes)
    }
  }

  say(...messages: GraphMessage[]): void {
    for (const message of messages) this.peer.protect(encodeGraphMessage(message))
    this.deliver()
  }

  /** What the node said, through the peer's session. */
  heard(): GraphMessage[] {
    const messages: GraphMessage[] = []
    for (const bytes of this.node.frames(this.connection)) {
      this.peer.receive(bytes)
      for (let one = this.peer.poll(); one !== undefined; one = this.peer.poll()) {
        if (one.type === 'plain') this.#reader.push(one.bytes)
        else if (one.type === 'frame') this.node.bytes(this.connection, frame(one.bytes))
      }
      for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
        assert.is(item.kind, 'message')
        if (item.kind === 'message') messages.push(item.message)
      }
    }
    return messages
  }

  /** Late output comes out, and the driver says so. */
  release(): void {
    this.session.release()
    this.node.local({ type: 'session', connection: this.connection })
  }

  negotiated(): this {
    this.deliver()
    this.heard()
    return this
  }
}

test('G-078 G-079 the responder: AUTH_INFO, tokens, AUTHENTICATED, then protected messages', () => {
  const scene = new Secured({ rounds: 2 }).accept()
  assert.equal(scene.states, ['in-got-authinfo', 'start'])
  assert.equal(scene.session.wanted, {
    connection: scene.connection,
    initiator: false,
    direct: false,
    peerId: 'bob',
  })
  scene.deliver()
  assert.equal(scene.states, ['in-got-authinfo', 'start'])
  scene.heard()
  assert.equal(scene.states, ['in-authenticated', 'authenticated'])
  // G-078: the Authentication Timer is no longer set, but that for CONNECT.
  assert.is(scene.node.machine.pollTimeout(), scene.node.now + LIMITS.graphConnectUs)
  scene.heard()
  scene.say(connectOf(7n))
  assert.equal(
    scene.heard().map((message) => message.type),
    ['WELCOME'],
  )
  assert.is(scene.node.links.neighbors.length, 1)
})

test('G-168 G-079 the initiator: AUTH_INFO in clear text, then tokens, then CONNECT', () => {
  const pair = new Pair({ rounds: 2 })
  const link = (): string => {
    const links = pair.a.links as unknown as { get(id: number): GraphLink }
    return links.get(1).connectionState
  }
  assert.is(link(), 'out-sent-authinfo')
  pair.run()
  assert.is(link(), 'out-authenticated')
  // AUTH_INFO, then two tokens of nine bytes from each side.
  assert.equal(
    pair.frames.slice(1, 5).map((bytes) => bytes.length),
    [9, 9, 9, 9],
  )
  assert.is(pair.frames[0]?.[5], 1)
})

test('G-078 G-079 two machines negotiate, connect and flood, in both directions', () => {
  for (const rounds of [1, 4]) {
    const pair = new Pair({ rounds })
    pair.run()
    assert.is(pair.a.links.neighbors.length, 1)
    assert.is(pair.b.links.neighbors.length, 1)
    // One frame, several chunks, and a record of a megabyte.
    const records = [recordOf(1), recordOf(2, 40_000), recordOf(3, 1_000_000)]
    for (const record of records) pair.a.flood(record)
    pair.b.flood(recordOf(4, 20_000))
    pair.run()
    const got = pair.b.called('records.handleFlood').map((call) => call.record?.bytes)
    assert.equal(
      got.map((bytes) => bytes?.length),
      records.map((record) => record.bytes.length),
    )
    got.forEach((bytes, i) =>
      assert.ok(
        Buffer.compare(bytes ?? new Uint8Array(), records[i]?.bytes ?? new Uint8Array()) === 0,
      ),
    )
    assert.is(pair.a.called('records.handleFlood').length, 1)
  }
})

test('G-005 Max Frame Size is 16,379, or the provider has another one of at most 32,768', () => {
  const node = new LinkHarness()
  node.raw = true
  const connection = node.incoming(7n)
  node.takeRaw(connection)
  node.flood(recordOf(1, 100_000))
  const sizes = framesOf(node.takeRaw(connection)).map((bytes) => bytes.length)
  assert.is(Math.max(...sizes), 16_379)
  const big = (size: number): Uint8Array => frame(new Uint8Array(size).fill(1))
  // A frame of the greatest size is read on; one that is longer ends the connection.
  node.bytes(connection, big(16_379).subarray(0, 4))
  assert.not(node.destroyed(connection))
  const other = node.incoming(8n)
  node.bytes(other, big(16_380).subarray(0, 2))
  assert.ok(node.destroyed(other))

  const pair = new Pair({ maxFrame: 40_000 })
  pair.run()
  pair.a.flood(recordOf(3, 1_000_000))
  pair.run()
  assert.is(pair.b.called('records.handleFlood').length, 1)
  assert.ok(pair.longestFrame <= 32_768, `${pair.longestFrame}`)
  const scene = new Secured().accept().negotiated()
  scene.node.bytes(scene.connection, big(32_768).subarray(0, 2))
  assert.not(scene.node.destroyed(scene.connection))
  const next = new Secured().accept().negotiated()
  next.node.bytes(next.connection, big(32_769).subarray(0, 2))
  assert.ok(next.node.destroyed(next.connection))
})

test('GA-04 no frame under a provider is longer than its Max Frame Size', () => {
  const pair = new Pair({ maxFrame: 5000 })
  pair.run()
  pair.a.flood(recordOf(3, 1_000_000))
  pair.run()
  assert.is(pair.b.called('records.handleFlood').length, 1)
  assert.is(pair.longestFrame, 5000)
})

test('G-078 G-079 a token that fails ends the connection, and its session', () => {
  const scene = new Secured().accept()
  scene.deliver((bytes) => {
    bytes[4] = 0
  })
  assert.ok(scene.node.destroyed(scene.connection))
  assert.is(scene.node.endOf(scene.connection), undefined)
  assert.is(scene.node.count('failed.security'), 0)
  assert.ok(scene.session.closed)
  assert.is(scene.node.links.connectionCount, 0)
})

test('G-075 clear messages during the negotiation are tokens to the provider, not messages', () => {
  const scene = new Secured().accept()
  scene.node.bytes(scene.connection, framed(connectOf(7n)))
  assert.ok(scene.node.destroyed(scene.connection))
  assert.is(scene.node.links.neighbors.length, 0)
})

test('G-084 a frame that cannot be read loses its message and nothing else', () => {
  const scene = new Secured().accept().negotiated()
  scene.say(connectOf(7n))
  scene.heard()
  const { node } = scene
  scene.peer.protect(encodeGraphMessage({ type: 'FLOOD', record: recordOf(1) }))
  scene.deliver((bytes) => {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  })
  assert.is(node.called('records.handleFlood').length, 0)
  assert.is(node.count('drop.security'), 1)
  scene.say({ type: 'FLOOD', record: recordOf(2) })
  assert.equal(
    node.called('records.handleFlood').map((call) => call.record?.id),
    [guidOf(2)],
  )
  assert.not(node.destroyed(scene.connection))
})

test('G-084 a lost part of a longer message ends the connection: what follows is unreadable', () => {
  const scene = new Secured().accept().negotiated()
  scene.say(connectOf(7n))
  let frames = 0
  scene.peer.protect(encodeGraphMessage({ type: 'FLOOD', record: recordOf(1, 40_000) }))
  scene.deliver((bytes) => {
    if (frames++ === 1) bytes[20] = (bytes[20] as number) ^ 1
  })
  assert.is(scene.node.endOf(scene.connection), 'security')
  assert.is(scene.node.called('records.handleFlood').length, 0)
})

test('G-136 what cannot be protected is dropped, and nothing else', () => {
  // SYNC_END is 12 bytes long; nothing else that is sent here is.
  const refuseToProtect = (plain: Uint8Array): boolean => plain.length === 12
  const scene = new Secured({ refuseToProtect }).accept().negotiated()
  scene.say(connectOf(7n))
  scene.heard()
  const link = scene.node.link(scene.connection) as never
  scene.node.links.send(link, { type: 'SYNC_END', final: true })
  scene.node.links.send(link, { type: 'SOLICIT_NEW', inclusions: [guidOf(1)], exclusions: [] })
  scene.node.pump()
  assert.equal(
    scene.heard().map((message) => message.type),
    ['SOLICIT_NEW'],
  )
  assert.not(scene.node.destroyed(scene.connection))
  assert.is(scene.node.count('drop.security'), 1)
})

test('G-136 everything after AUTHENTICATED is protected', () => {
  const pair = new Pair()
  pair.run()
  pair.a.flood(recordOf(1))
  pair.run()
  // AUTH_INFO in clear text; after it nothing that reads like a message header.
  const clear = pair.frames.filter((bytes) => bytes[4] === 0x10 && bytes[6] === 0)
  assert.equal(
    clear.map((bytes) => bytes[5]),
    [1],
  )
  assert.ok(pair.frames.length > 6)
})

test('a session whose output comes late works by the local event', () => {
  const scene = new Secured({ late: true }).accept()
  scene.deliver()
  assert.equal(scene.states, ['in-got-authinfo', 'start'])
  scene.release()
  assert.equal(scene.states, ['in-authenticated', 'authenticated'])
  scene.heard()
  scene.say(connectOf(7n))
  assert.is(scene.node.links.neighbors.length, 0)
  // The CONNECT comes out, and what answers it stays inside again.
  scene.release()
  assert.is(scene.node.links.neighbors.length, 1)
  assert.equal(scene.heard(), [])
  scene.release()
  assert.equal(
    scene.heard().map((message) => message.type),
    ['WELCOME'],
  )
})

test('a late session is given no more than the window before its frames come', () => {
  const scene = new Secured({ late: true }).accept()
  scene.deliver()
  scene.release()
  scene.heard()
  scene.say(connectOf(7n))
  scene.release()
  scene.release()
  scene.heard()
  scene.node.flood(recordOf(1, 2_000_000))
  let rounds = 0
  let floods = 0
  while (floods === 0 && rounds < 100) {
    const before = scene.node.bytesSent(scene.connection)
    scene.release()
    const sent = scene.node.bytesSent(scene.connection) - before
    assert.ok(sent <= 2 * LIMITS.graphWriteAheadBytes, `${sent}`)
    floods += scene.heard().filter((message) => message.type === 'FLOOD').length
    rounds++
  }
  assert.is(floods, 1)
  assert.ok(rounds >= 2_000_000 / LIMITS.graphWriteAheadBytes - 1)
})

test('attack, slow handshake: the Authentication Timer runs on during the negotiation', () => {
  const scene = new Secured({ rounds: 255 }).accept()
  for (let s = 0; s < 299; s += 10) {
    scene.node.pass(seconds(10))
    scene.deliver()
  }
  scene.node.pass(seconds(10))
  assert.ok(scene.node.destroyed(scene.connection))
})

test('attack, message flood before AUTH: what a negotiation may take is bounded', () => {
  class Patient extends XorProvider {
    override openSession(wanted: XorSession['wanted']): XorSession {
      const session = super.openSession(wanted)
      // Never content, never failing.
      session.receive = () => undefined
      return session
    }
  }
  const node = new LinkHarness({ security: new Patient() })
  const connection = node.accept()
  node.from(connection, authInfo())
  let bytes = 0
  while (!node.destroyed(connection) && bytes < 1e8) {
    node.bytes(connection, frame(new Uint8Array(10_000)))
    bytes += 10_002
  }
  assert.ok(bytes <= LIMITS.graphNegotiationBytes + 10_002)
})

test('attack, data before the negotiation ended is not read', () => {
  class Leaky extends XorProvider {
    override openSession(wanted: XorSession['wanted']): XorSession {
      const session = super.openSession(wanted)
      const plain = encodeGraphMessage(connectOf(7n))
      let given = false
      session.poll = () => {
        if (given) return undefined
        given = true
        return { type: 'plain', bytes: plain }
      }
      return session
    }
  }
  const node = new LinkHarness({ security: new Leaky() })
  const connection = node.accept()
  node.from(connection, authInfo())
  assert.ok(node.destroyed(connection))
  assert.is(node.links.neighbors.length, 0)
})

for (const answers of [false, true]) {
  const how = answers ? 'stays when it does' : 'ends when it does not'
  test(`GA-56 who acknowledges nothing has to for what it has brought itself: ${how}`, () => {
    const scene = new Secured().accept().negotiated()
    scene.say(connectOf(7n))
    const far = { expirationTime: PEER_TIME_0 + 36_000_000_000_000n }
    const [brought, ours] = [recordOf(1, 16, far), recordOf(2, 16, far)]
    scene.node.database.put(brought)
    scene.link.brought = brought
    scene.node.flood(ours)
    scene.heard()
    let challenges = 0
    for (let passed = 0; passed < 300 && !scene.link?.ended; passed += 20) {
      scene.node.pass(seconds(20))
      if (scene.link === undefined) break
      scene.say(ping)
      for (const message of scene.heard()) {
        if (message.type !== 'FLOOD') continue
        challenges++
        const { id } = message.record
        assert.is(id, brought.id)
        if (answers) scene.say({ type: 'ACK', acks: [{ id, useful: false }] })
      }
    }
    assert.is(challenges, 1)
    assert.is(scene.node.endOf(scene.connection), answers ? undefined : 'silent')
  })
}

test('the graph never imports the group that secures it', () => {
  const root = fileURLToPath(new URL('../../../../..', import.meta.url))
  const files = fs.readdirSync(path.join(root, 'lib/graph'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((name) => name.endsWith('.ts'))
  assert.ok(sources.length > 20)
  for (const name of sources) {
    const text = fs.readFileSync(path.join(root, 'lib/graph', name), 'utf8')
    assert.not.match(text, /from '[^']*\/(group|security)\/[^']*'/, name)
  }
})

/** Two machines with a wire between them, which is looked at. */
class Pair {
  readonly a: LinkHarness
  readonly b: LinkHarness
  readonly frames: Uint8Array[] = []
  longestFrame = 0
  readonly #toB: number
  readonly #toA = -1

  constructor(options: XorOptions = {}) {
    this.a = new LinkHarness({ security: new XorProvider(options), seed: 1 })
    this.b = new LinkHarness({ security: new XorProvider(options), seed: 2, peerId: 'bob' })
    this.b.accept()
    this.a.raw = this.b.raw = true
    this.#toB = this.a.attempt(hostAt(9))
  }

  run(): void {
    for (let busy = true; busy;) {
      const forth = this.a.takeRaw(this.#toB)
      const back = this.b.takeRaw(this.#toA)
      for (const bytes of [forth, back]) this.#look(bytes)
      if (forth.length > 0) this.b.bytes(this.#toA, forth)
      if (back.length > 0) this.a.bytes(this.#toB, back)
      busy = forth.length + back.length > 0
    }
  }

  /** Transmissions end at frames. */
  #look(bytes: Uint8Array): void {
    for (const one of framesOf(bytes)) {
      this.frames.push(one)
      this.longestFrame = Math.max(this.longestFrame, one.length)
    }
  }
}

function framesOf(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const size = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    frames.push(bytes.slice(at + 2, at + 2 + size))
    at += 2 + size
  }
  return frames
}

test.run()
