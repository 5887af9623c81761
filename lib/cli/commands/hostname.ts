import type { Command } from 'commander'
import { hostNameToPeerName, isPeerHostName, PeerName, peerNameToHostName } from '../../index.js'
import { safeText } from '../output.js'
import { runAction } from '../session.js'

/** `peernet peer hostname`: peer names as host names under pnrp.net, and back. */
export function addHostname(peer: Command): void {
  const hostname = peer
    .command('hostname')
    .argument('<name>', 'a peer name, or a host name ending in .pnrp.net')
    .option('--compat <kind>', 'rtm (Windows Vista and later) or 2006 (its beta)', 'rtm')
    .description('convert between peer names and host names under pnrp.net')
  hostname.action((name: string, flags: { compat: string }) =>
    runAction(hostname, async (output) => {
      const options = { compat: flags.compat === '2006' ? '2006' : 'rtm' } as const
      const peerName = isPeerHostName(name) ? hostNameToPeerName(name, options) : new PeerName(name)
      const hostName = isPeerHostName(name) ? name : peerNameToHostName(peerName, options)
      output.value({ peerName: peerName.toString(), hostName })
      output.line(isPeerHostName(name) ? safeText(peerName.toString()) : hostName)
      return Promise.resolve()
    }),
  )
}
