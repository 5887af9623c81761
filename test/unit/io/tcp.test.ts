// The stream port over node:net, on ::1.
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import type { PeernetError } from '#lib/core/errors.js'
import type { Endpoint } from '#lib/core/endpoint.js'
import { LIMITS } from '#lib/core/limits.js'
import { TcpListener, TcpStream, type StreamOwner } from '#lib/io/tcp.js'
import { test } from '../../harness.js'

const LOOPBACK = {
  address: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  scopeId: 0,
}

/** Remembers what it hears, and lets tests wait for it. */
class Owner implements StreamOwner {
  up = false
  readonly chunks: Buffer[] = []
  bytes = 0
  reads = 0
  written = 0
  end: string | undefined
  #waiting: { test: () => boolean; resolve: () => void }[] = []

  streamConnected(): void {
    this.up = true
    this.#look()
  }

  streamData(_stream: TcpStream, chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk))
    this.bytes += chunk.length
    this.reads++
    this.#look()
  }

  streamWritten(stream: TcpStream): void {
    this.written += stream.takeWritten()
    this.#look()
  }

  streamClosed(_stream: TcpStream, why: string): void {
    this.end = why
    this.#look()
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ test, resolve }))
  }

  #look(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.test()) continue
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.resolve()
    }
  }
}

interface Pair {
  readonly client: TcpStream
  readonly server: TcpStream
  readonly here: Owner
  readonly there: Owner
  close(): void
}

async function pair(): Promise<Pair> {
  const there = new Owner()
  let accepted: (stream: TcpStream) => void
  const coming = new Promise<TcpStream>((resolve) => (accepted = resolve))
  const listener = await TcpListener.open({ ...LOOPBACK, port: 0 }, (socket) => {
    accepted(TcpStream.accepted(socket, there))
  })
  const here = new Owner()
  const client = TcpStream.connect(listener.local, 0, here)
  const server = await coming
  await here.until(() => here.up)
  const close = (): void => {
    client.destroy()
    server.destroy()
    listener.close()
  }
  return { client, server, here, there, close }
}

test('G-003 bytes go both ways over IPv6, and both ends know each other', async () => {
  const { client, server, here, there, close } = await pair()
  assert.equal(client.remote, server.local)
  assert.equal(server.remote, client.local)
  client.write([Buffer.from('to '), Buffer.from('the server')])
  client.flush()
  await there.until(() => there.bytes === 13)
  assert.is(there.text, 'to the server')
  server.write([Buffer.from('and back')])
  server.flush()
  await here.until(() => here.bytes === 8)
  assert.is(here.text, 'and back')
  close()
})

test('what a turn writes goes out in one call, and is counted when it is out', async () => {
  const { client, there, close } = await pair()
  for (let i = 0; i < 100; i++) client.write([Buffer.alloc(10, i)])
  assert.is(client.takeWritten(), 0, 'nothing before the flush')
  client.flush()
  const atOnce = client.takeWritten()
  await there.until(() => there.bytes === 1000)
  assert.is(there.reads, 1)
  assert.is(atOnce + client.takeWritten(), 1000)
  assert.is(client.waiting, 0)
  close()
})

test('a connection that brings much leaves turns to others, and stays paused when told so', async () => {
  const { client, server, here, there, close } = await pair()
  const total = 8 * 1024 * 1024
  for (const [from, to, owner] of [
    [client, server, there],
    [server, client, here],
  ] as const) {
    let most = 0
    let last = 0
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const look = (): void => {
      most = Math.max(most, owner.bytes - last)
      last = owner.bytes
    }
    from.write([Buffer.alloc(total)])
    from.flush()
    while (owner.bytes < total / 2) {
      await turn()
      look()
    }
    to.pause(true)
    const held = owner.bytes
    for (let i = 0; i < 5; i++) await turn()
    assert.is(owner.bytes, held, 'the end of a turn undoes no pause')
    to.pause(false)
    while (owner.bytes < total) {
      await turn()
      look()
    }
    // The chunk with which a turn ends may reach beyond it.
    const bound = LIMITS.streamTurnBytes + LIMITS.streamReadBytes
    assert.ok(most < bound, `${most} bytes in one turn, not ${bound}`)
  }
  close()
})

test('a connection that takes much leaves turns to others', async () => {
  const { client, here, there, close } = await pair()
  const total = 8 * 1024 * 1024
  const piece = Buffer.alloc(64 * 1024)
  let written = 0
  let most = 0
  let last = 0
  // The next piece when the one before has left, as a link does it.
  const go = (): void => {
    do {
      client.write([piece])
      client.flush()
      written += piece.length
    } while (written < total && client.takeWritten() > 0)
  }
  here.streamWritten = () => {
    if (written < total && client.takeWritten() > 0) go()
  }
  // Not in this turn, which has not begun with a look.
  setImmediate(go)
  while (written < total) {
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, written - last)
    last = written
  }
  await there.until(() => there.bytes === total)
  const bound = LIMITS.streamTurnBytes + piece.length
  assert.ok(most <= bound, `${most} bytes in one turn, not ${bound}`)
  close()
})

test('a reader who does not read is noticed by bytes that do not leave', async () => {
  const { client, server, here, there, close } = await pair()
  server.pause(true)
  const chunk = Buffer.alloc(1024 * 1024, 1)
  for (let i = 0; i < 32; i++) client.write([chunk])
  client.flush()
  assert.ok(client.waiting > 0)
  server.pause(false)
  await there.until(() => there.bytes === 32 * chunk.length)
  await here.until(() => client.waiting === 0)
  close()
})

test('finishing lets everything arrive, and then ends the other side', async () => {
  const { client, server, here, there, close } = await pair()
  client.write([Buffer.from('last words')])
  client.finish()
  await there.until(() => there.end !== undefined)
  assert.is(there.text, 'last words')
  assert.match(there.end ?? '', /peer has closed/)
  assert.ok(server.closed)
  await here.until(() => here.end !== undefined)
  close()
})

test('destroying is heard by the other side alone', async () => {
  const { client, here, there, close } = await pair()
  client.destroy()
  client.destroy()
  client.write([Buffer.from('x')])
  client.flush()
  await there.until(() => there.end !== undefined)
  assert.is(here.end, undefined)
  close()
})

test('an attempt that fails says why', async () => {
  const listener = await TcpListener.open({ ...LOOPBACK, port: 0 }, () => {})
  const { local } = listener
  listener.close()
  const owner = new Owner()
  TcpStream.connect(local, 0, owner)
  await owner.until(() => owner.end !== undefined)
  assert.is(owner.end, 'ECONNREFUSED')
  assert.not.ok(owner.up)
})

test('a reset by the peer says so', async () => {
  const server = createServer()
  server.listen(0, '::1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const owner = new Owner()
  const to: Endpoint = { address: LOOPBACK.address, port }
  const coming = once(server, 'connection') as Promise<[Socket]>
  const stream = TcpStream.connect(to, 0, owner)
  const [socket] = await coming
  await owner.until(() => owner.up)
  socket.resetAndDestroy()
  await owner.until(() => owner.end !== undefined)
  assert.is(owner.end, 'ECONNRESET')
  assert.ok(stream.closed)
  server.close()
})

test('a port that is taken is refused with what to do; IPv4 finds nobody', async () => {
  const first = await TcpListener.open({ ...LOOPBACK, port: 0 }, () => {})
  try {
    const error = await TcpListener.open({ ...LOOPBACK, port: first.local.port }, () => {}).then(
      () => undefined,
      (reason: unknown) => reason as PeernetError,
    )
    assert.is(error?.code, 'ERR_PEERNET_PORT_IN_USE')
    assert.match(error?.message ?? '', /TCP port \d+ on ::1/)
    const [refused] = (await once(connect(first.local.port, '127.0.0.1'), 'error')) as [
      NodeJS.ErrnoException,
    ]
    assert.is(refused.code, 'ECONNREFUSED')
  } finally {
    first.close()
  }
})

test.run()
