// An independent WS-Discovery client, gSOAP's, finds our responder and reads its answer.
// test-limit: 120s
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { skipUnless, test } from '../harness.js'
import { Hub, whyNoHub } from './hub.js'

const GSOAP = '/usr/share/gsoap'
const SOURCES = 'test/conformance/gsoap'

function run(command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  assert.is(result.status, 0, `${command} ${args.join(' ')}: ${result.stdout}${result.stderr}`)
  return result.stdout
}

type Fields = Partial<
  Record<
    | ('Address' | 'InstanceId' | 'MessageNumber' | 'MetadataVersion' | 'Probe' | 'RelatesTo')
    | ('Scopes' | 'stderr' | 'Types' | 'XAddrs'),
    string
  >
>

/** The fields that the client prints, one a line; none when it was not answered. */
function fieldsOf(namespace: string, client: string, args: readonly string[]): Fields {
  const command = ['netns', 'exec', namespace, client, ...args]
  const { status, stderr, stdout } = spawnSync('ip', command, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) return { stderr }
  return Object.fromEntries(
    stdout.split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
}

function buildClient(directory: string): string {
  const imports = `${GSOAP}/import:${GSOAP}`
  run('soapcpp2', '-2', '-c', '-x', '-L', '-d', directory, `-I${imports}`, `${SOURCES}/discovery.h`)
  const made = ['soapC.c', 'soapClient.c', 'soapServer.c'].map((name) => join(directory, name))
  const plugins = ['wsddapi.c', 'wsaapi.c'].map((name) => `${GSOAP}/plugin/${name}`)
  const client = join(directory, 'probe')
  const flags = ['-w', '-DWITH_NONAMESPACES', `-I${directory}`, `-I${GSOAP}`, '-o', client]
  run('cc', ...flags, `${SOURCES}/probe.c`, ...made, ...plugins, '-lgsoap')
  return client
}

/** 2.2.3.3: size, count, IDs. */
const packed = (...ids: readonly string[]): string =>
  Buffer.from(`0020${ids.length.toString(16).padStart(2, '0')}${ids.join('')}`, 'hex').toString(
    'base64',
  )

test('D-114 gSOAP’s WS-Discovery client finds our responder and parses its answers', async () => {
  const noHub = whyNoHub()
  skipUnless(noHub === undefined, noHub ?? '', { neverInCi: true })
  const isThere =
    spawnSync('soapcpp2', ['-V']).error === undefined && existsSync('/usr/include/stdsoap2.h')
  skipUnless(isThere, 'gSOAP (gsoap, libgsoap-dev) is not installed', { neverInCi: true })
  const directory = mkdtempSync(join(tmpdir(), 'peernet-gsoap-'))
  const hub = new Hub(2)
  try {
    const client = buildClient(directory)
    for (const host of [1, 2]) hub.ip(host, 'addr', 'add', `10.9.0.${host}/24`, 'dev', 'e0')
    const peer = hub.start(1, 'net/wsd-host.js')
    peer.tell({ do: 'announce', segments: [0x11, 0xab], port: 8123, tag: 'ready' })
    await peer.sees('ready', ({ tag }: { tag?: string }) => tag === 'ready')
    const [one, other, none] = ['11', 'ab', '77'].map((byte) => byte.repeat(32))
    assert.ok(one && other && none)
    const strcmp = 'http://schemas.xmlsoap.org/ws/2005/04/discovery/strcmp0'
    const rule2 = 'http://schemas.microsoft.com/p2p/2010/05/PeerDistV2MatchingRule'
    const asks = (...args: readonly string[]) =>
      fieldsOf(hub.namespace(2), client, ['10.9.0.2', ...args])

    const first = asks('PeerDist:PeerDistData', `${one} ${none} ${other}`, strcmp)
    assert.is(first.RelatesTo, first.Probe, first.stderr)
    assert.is(first.Types, 'PeerDist:PeerDistData')
    assert.is(first.Scopes, `${one} ${other}`)
    assert.is(first.XAddrs, '10.9.0.1:8123')
    assert.is(first.MetadataVersion, '1')
    assert.is(first.MessageNumber, '1')
    assert.match(first.Address ?? '', /^urn:uuid:/)

    const second = asks('PeerDist:PeerDistDataV2', packed(one, none, other), rule2)
    assert.is(second.RelatesTo, second.Probe, second.stderr)
    assert.is(second.Types, 'PeerDist:PeerDistDataV2')
    // Complete, nothing, complete: 11 00 11 00.
    assert.is(second.Scopes, Buffer.of(0xcc).toString('base64'))
    assert.is(second.XAddrs, '10.9.0.1:8123')
    assert.is(second.MetadataVersion, '2')
    assert.is(second.MessageNumber, '2')
    assert.is(second.InstanceId, first.InstanceId)
    assert.is(second.Address, first.Address)
  } finally {
    await hub.close()
    rmSync(directory, { recursive: true })
  }
})

test.run()
