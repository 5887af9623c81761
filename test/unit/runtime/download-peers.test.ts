// Peers of a download: by their addresses, services and claims.
import * as assert from 'uvu/assert'
import { LIMITS } from '#lib/core/limits.js'
import { DownloadPeers } from '#lib/runtime/content/download-peers.js'
import { peerPlace, peerText } from '#lib/runtime/content/peer-address.js'
import { test } from '../../harness.js'

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const key = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32)
const names = (peers: DownloadPeers): string[] => [...peers].map(({ name }) => name)

test('a peer is asked at one address; another takes its place when that fails', () => {
  const peers = new DownloadPeers()
  const service = 'urn:uuid:1'
  peers.add({ at: '10.0.0.1:80', service, segments: [{ id: id(1), blocks: 4 }] })
  const again = peers.add({ at: '[fe80::1%e0]:80', service, segments: [{ id: id(2), blocks: 1 }] })
  assert.equal(names(peers), ['10.0.0.1:80'])
  assert.equal(again?.news, [key(2)])
  if (again !== undefined) peers.drop(again.peer)
  assert.equal(names(peers), ['[fe80::1%e0]:80'])
  peers.add('10.0.0.1:80')
  assert.equal(names(peers), ['[fe80::1%e0]:80'], 'who was given up does not come back')
})

test('those who answer a round without naming a segment lack it', () => {
  const peers = new DownloadPeers()
  peers.add('10.0.0.9:80')
  peers.add({ at: '10.0.0.1:80', segments: [{ id: id(1), blocks: 4 }] })
  peers.add({ at: '10.0.0.2:80', segments: [{ id: id(1) }, { id: id(2) }] })
  assert.is(peers.claiming(key(1)), 2)
  peers.roundOver([key(1), key(2)])
  const claims = [...peers].map((peer) => [1, 2].map((one) => peer.claims.get(key(one))))
  assert.equal(claims, [
    [undefined, undefined],
    [4, 0],
    [1, 1],
  ])
  const more = peers.add({ at: '10.0.0.1:80', segments: [{ id: id(1), blocks: 4 }, { id: id(2) }] })
  assert.equal(more?.news, [key(2)])
  assert.is(peers.claiming(key(2)), 2)
})

test('only so many peers; those given up make room', () => {
  const peers = new DownloadPeers()
  for (let i = 1; i <= LIMITS.fetchPeers + 5; i++) peers.add(`10.0.0.${i}:80`)
  assert.is(peers.size, LIMITS.fetchPeers)
  const [first] = peers
  assert.ok(first)
  peers.drop(first)
  peers.add('10.0.1.1:80')
  assert.is(peers.size, LIMITS.fetchPeers)
  assert.ok(names(peers).includes('10.0.1.1:80'))
})

test('peers are places and nothing else', () => {
  assert.equal(peerPlace('[fe80::1%eth0.5]:8080'), {
    ...{ host: 'fe80::1%eth0.5', port: 8080, authority: '[fe80::1]:8080' },
  })
  assert.equal(peerPlace('10.9.0.2:1'), { host: '10.9.0.2', port: 1, authority: '10.9.0.2:1' })
  assert.is(peerPlace(peerText('2001:db8::1', 80))?.host, '2001:db8::1')
  assert.is(peerPlace(peerText('peer.example', 80))?.host, 'peer.example')
  for (const wrong of [
    ...['', 'host', 'host:0', 'host:65536', 'host:80/path', 'a@b:80', 'a b:80', '[::1]', '[::1:80'],
    ...[
      '[::1]:80x',
      '[zz]:80',
      '[1:2]:80',
      '[::1%]:80',
      '[::1%a b]:80',
      '[::1%a/b]:80',
      'x\r\n:80',
    ],
  ]) {
    assert.is(peerPlace(wrong), undefined, wrong)
  }
})

test.run()
