// A transport may be made long before its first port opens, with garbage collections in between.
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { test } from '../harness.js'

const program = (kind: string): string => `
  import { setTimeout } from 'node:timers/promises'
  import { nativeTransport } from '#lib/io/udp-native.js'
  const transport = nativeTransport('${kind}')
  for (let i = 0; i < 5; i++) {
    globalThis.gc()
    await setTimeout(1)
  }
  const address = new Uint8Array(16)
  address[15] = 1
  const port = await transport.open({ address, port: 0 }, () => {
    console.log('received')
    port.close()
  })
  port.send({ address, port: port.port }, Uint8Array.of(1))
`

for (const kind of ['native', 'portable']) {
  test(`datagrams arrive after garbage was collected before the first port (${kind})`, () => {
    const args = ['--expose-gc', '--input-type=module', '-e', program(kind)]
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.is(stdout, 'received\n', stderr)
  })
}

test.run()
