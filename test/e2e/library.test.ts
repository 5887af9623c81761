// The library over real sockets on ::1, in one process.
import * as assert from 'uvu/assert'
import { openCloud, PeerIdentity, PeernetError, type Cloud, type OpenCloudOptions } from 'peernet'
import { suite } from '../harness.js'

const test = suite('library')
const open: Cloud[] = []

async function node(options: OpenCloudOptions = {}): Promise<Cloud> {
  const seeds = open.slice(0, 1).flatMap(({ endpoints }) => endpoints)
  const cloud = await openCloud({ addresses: ['::1'], port: 0, seeds, ...options })
  open.push(cloud)
  return cloud
}

async function rejects(work: Promise<unknown>, code: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, PeernetError)
  assert.is((error as PeernetError).code, code)
}

test.after(async () => {
  await Promise.all(open.map((cloud) => cloud.close()))
})

test('a cloud of one is alone and says why; a registration there is lonely', async () => {
  const cloud = await openCloud({ addresses: ['::1'], port: 0 })
  await cloud.whenJoined({ orAlone: true })
  assert.is(cloud.state.state, 'alone')
  assert.match(cloud.state.reason, /\w/)
  const registration = await cloud.register('0.single', {
    endpoints: [{ address: '::1', port: 80 }],
  })
  assert.is(registration.status, 'lonely')
  assert.equal(await cloud.resolve('0.single').results, [])
  const [own] = await cloud.resolve('0.single', { includeLocal: true }).results
  assert.is(own?.endpoints[0]?.port, 80)
  await cloud.close()
  await cloud.close()
  assert.is(cloud.state.state, 'closed')
})

test('endpoints, comment and payload arrive as registered, whatever the characters', async () => {
  const publisher = await node()
  const identity = await PeerIdentity.create({ friendlyName: 'Ada' })
  const payload = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff)
  await publisher.register(identity.peerName('süß 🍰'), {
    endpoints: [
      { address: '2001:db8::1', port: 4000, protocol: 'tcp' },
      { address: '::1', port: 65_535, protocol: 'udp' },
    ],
    comment: 'Grüße \ud83d',
    payload,
  })
  const asker = await node()
  await asker.whenJoined()
  const record = await asker.resolve(identity.peerName('süß 🍰')).first()
  assert.equal(record.endpoints, [
    { address: '2001:db8::1', port: 4000, protocol: 'tcp' },
    { address: '::1', port: 65_535, protocol: 'udp' },
  ])
  assert.is(record.comment, 'Grüße \ud83d')
  assert.equal(record.payload, payload)
  assert.is(record.verified, 'authority')
})

test('several registrations of one name are found with max, each once', async () => {
  const publishers = [await node(), await node(), await node()]
  for (const [i, publisher] of publishers.entries()) {
    await publisher.register('0.game', { endpoints: [{ address: '::1', port: 7000 + i }] })
  }
  const asker = await node()
  await asker.whenJoined()
  const records = await asker.resolve('0.game', { max: 5 }).results
  const ports = records.map(({ endpoints }) => endpoints[0]?.port).sort()
  assert.equal(ports, [7000, 7001, 7002])
})

test('iterating a resolution shows each step and then the end', async () => {
  const publisher = await node()
  await publisher.register('0.steps', { endpoints: [{ address: '::1', port: 1 }] })
  const asker = await node()
  await asker.whenJoined()
  const types: string[] = []
  for await (const event of asker.resolve('0.steps')) types.push(event.type)
  assert.is(types.at(-1), 'end')
  assert.ok(types.includes('inquire'))
  assert.ok(types.includes('record'))
})

test('update replaces what a name says; unregistering ends it', async () => {
  const publisher = await node()
  const registration = await publisher.register('0.changing', {
    endpoints: [{ address: '::1', port: 1 }],
  })
  const asker = await node()
  await asker.whenJoined()
  registration.update({ endpoints: [{ address: '::1', port: 2 }], comment: 'new' })
  const record = await asker.resolve('0.changing').first()
  assert.is(record.endpoints[0]?.port, 2)
  assert.is(record.comment, 'new')
  await registration.close()
  await registration.close()
  assert.throws(
    () => registration.update({}),
    (error: PeernetError) => error.code === 'ERR_PEERNET_CLOSED',
  )
})

test('an aborted resolution ends at once and first() says so', async () => {
  const asker = await node()
  const abort = new AbortController()
  const resolution = asker.resolve('0.nobody', { signal: abort.signal })
  abort.abort()
  await rejects(resolution.first(), 'ERR_PEERNET_ABORTED')
  assert.is((await resolution.summary).status, 'aborted')
})

test('a seed that publishes nothing still brings nodes together', async () => {
  const options = { addresses: ['::1'], port: 0 }
  const seed = await openCloud(options)
  open.push(seed)
  const early = await openCloud({ ...options, seeds: seed.endpoints })
  open.push(early)
  // At once, while the conversation with the seed is still under way.
  await early.register('0.early', { endpoints: [{ address: '::1', port: 1 }] })
  const late = await openCloud({ ...options, seeds: seed.endpoints })
  open.push(late)
  await late.whenJoined()
  assert.is((await late.resolve('0.early').first()).endpoints[0]?.port, 1)
})

test('two nodes that join at the same time through a seed that publishes nothing find each other', async () => {
  const seed = await openCloud({ addresses: ['::1'], port: 0 })
  open.push(seed)
  const twins = await Promise.all(
    ['left', 'right'].map(async (side) => {
      const twin = await openCloud({ addresses: ['::1'], port: 0, seeds: seed.endpoints })
      open.push(twin)
      await twin.register(`0.${side}`, { endpoints: [{ address: '::1', port: 1 }] })
      return twin
    }),
  )
  await Promise.all(twins.map((twin) => twin.whenJoined()))
  await (twins[0] as Cloud).resolve('0.right').first()
  await (twins[1] as Cloud).resolve('0.left').first()
})

test('a missing name is not found', async () => {
  const asker = await node()
  await rejects(asker.resolve('0.no such name').first(), 'ERR_PEERNET_NAME_NOT_FOUND')
})

test('misuse throws stable codes', async () => {
  const cloud = await node()
  await rejects(openCloud({ addresses: ['::1'], port: 80 }), 'ERR_PEERNET_INVALID_ARG')
  await rejects(openCloud({ addresses: ['not an address'] }), 'ERR_PEERNET_INVALID_ARG')
  await rejects(openCloud({ addresses: ['2001:db8::77'], port: 0 }), 'ERR_PEERNET_NO_ADDRESS')
  const taken = Number(cloud.endpoints[0]?.split(']:')[1])
  await rejects(openCloud({ addresses: ['::1'], port: taken }), 'ERR_PEERNET_PORT_IN_USE')
  await rejects(
    openCloud({ addresses: ['::1'], port: 0, seeds: ['http://x'] }),
    'ERR_PEERNET_INVALID_ARG',
  )
  await rejects(cloud.register('no name', { payload: 'x' }), 'ERR_PEERNET_INVALID_PEER_NAME')
  await rejects(cloud.register('0.x', {}), 'ERR_PEERNET_INVALID_ARG')
  await rejects(cloud.register('0.', { payload: 'hello' }), 'ERR_PEERNET_INVALID_ARG')
  const stranger = 'a'.repeat(40)
  await rejects(
    cloud.register(`${stranger}.x`, { payload: 'hello' }),
    'ERR_PEERNET_IDENTITY_NOT_FOUND',
  )
  await rejects(
    cloud.register(`${stranger}.x`, { payload: 'hello', identity: await PeerIdentity.create() }),
    'ERR_PEERNET_NOT_AUTHORIZED',
  )
  const aborted = AbortSignal.abort()
  await rejects(openCloud({ addresses: ['::1'], port: 0, signal: aborted }), 'ERR_PEERNET_ABORTED')
})

test('callers without types get ERR_PEERNET_INVALID_ARG, too', async () => {
  const cloud = await node()
  const wrong: (() => unknown)[] = [
    () => cloud.register(undefined as never, { payload: 'hello' }),
    () => cloud.register('0.x'),
    () => cloud.register('0.x', null as never),
    () => cloud.register('0.x', { endpoints: [null] as never }),
    () => cloud.register('0.x', { endpoints: 'x' as never }),
    () => cloud.register('0.x', { payload: 7 as never }),
    () => cloud.register('0.x', { payload: 'hello', comment: 7 as never }),
    () => cloud.resolve(null as never).summary,
    () => cloud.resolve('0.x', { criteria: 'bogus' as never }).summary,
    () => cloud.resolve('0.x', { criteria: 'toString' as never }).summary,
    () => cloud.resolve('0.x', null as never).summary,
    () => cloud.ping(undefined as never),
    () => cloud.addSeeds(['http://x']),
    () => openCloud(null as never),
    () => openCloud({ addresses: '::1' as never }),
    () => openCloud({ addresses: ['::1'], port: 0, seeds: 'x' as never }),
    () => openCloud({ addresses: ['::1'], port: 0, transport: 'bogus' as never }),
    () => openCloud({ scope: 'bogus' as never, port: 0 }),
  ]
  for (const call of wrong) await rejects(Promise.resolve().then(call), 'ERR_PEERNET_INVALID_ARG')
})

test('signals: what is aborted is not done, and a closed cloud is not joined', async () => {
  const cloud = await node()
  const signal = AbortSignal.abort()
  await rejects(cloud.register('0.x', { payload: 'hello', signal }), 'ERR_PEERNET_ABORTED')
  assert.equal(cloud.registrations, [])
  await rejects(cloud.ping('[::1]:9999', undefined, { signal }), 'ERR_PEERNET_ABORTED')
  await rejects(cloud.whenJoined({ signal }), 'ERR_PEERNET_ABORTED')
  const late = new AbortController()
  const alone = await openCloud({ addresses: ['::1'], port: 0 })
  const waits = [
    rejects(alone.whenJoined({ signal: late.signal }), 'ERR_PEERNET_ABORTED'),
    rejects(alone.ping('[::1]:9999', undefined, { signal: late.signal }), 'ERR_PEERNET_ABORTED'),
    rejects(alone.whenJoined(), 'ERR_PEERNET_CLOSED'),
  ]
  late.abort()
  await Promise.all([...waits, alone.close()])
  await rejects(alone.whenJoined({ orAlone: true }), 'ERR_PEERNET_CLOSED')
})

for (const transport of ['portable', 'dgram'] as const) {
  test(`the ${transport} transport talks with the native one`, async () => {
    const publisher = await node({ transport })
    await publisher.register(`0.by-${transport}`, { endpoints: [{ address: '::1', port: 9 }] })
    const asker = await node()
    await asker.whenJoined()
    const record = await asker.resolve(`0.by-${transport}`).first()
    assert.is(record.endpoints[0]?.port, 9)
  })
}

test.run()
