// WebTorrent as a process of its own, TCP only:
//   node webtorrent.mjs create FILE TORRENT
//   node webtorrent.mjs seed TORRENT DIRECTORY PORT
//   node webtorrent.mjs leech TORRENT DIRECTORY PORT HOST:PORT…
// Prints READY or DONE and stays until its standard input ends.
import { readFileSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'

// Its WebRTC part is native and fetched by an install script; it is not used here.
const stub =
  'data:text/javascript,export default {}; export const RTCPeerConnection = undefined, ' +
  'RTCSessionDescription = undefined, RTCIceCandidate = undefined'
const hooks = `export const resolve = (name, context, next) => name === 'webrtc-polyfill'
  ? { url: ${JSON.stringify(stub)}, shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
const { default: WebTorrent } = await import('webtorrent')
const { default: createTorrent } = await import('create-torrent')

const [role, ...rest] = process.argv.slice(2)
const clientAt = (port) =>
  new WebTorrent({
    ...{ dht: false, lsd: false, natUpnp: false, natPmp: false, tracker: false, utPex: false },
    ...{ utp: false, torrentPort: Number(port), maxConns: 100 },
  })

if (role === 'create') {
  const [file, torrent] = rest
  createTorrent(file, { announceList: [], createdBy: 'bench' }, (error, bytes) => {
    if (error) throw error
    writeFileSync(torrent, bytes)
    process.exit(0)
  })
} else if (role === 'seed') {
  const [torrent, path, port] = rest
  const options = { path, announce: [], skipVerify: true }
  clientAt(port).add(readFileSync(torrent), options, () => console.log('READY'))
} else {
  const [torrent, path, port, ...peers] = rest
  const added = clientAt(port).add(readFileSync(torrent), { path, announce: [] })
  const meet = () => peers.forEach((peer) => added.addPeer(peer))
  added.on('infoHash', meet)
  added.on('ready', meet)
  added.on('done', () => console.log('DONE'))
}
if (role !== 'create') process.stdin.on('end', () => process.exit(0)).resume()
