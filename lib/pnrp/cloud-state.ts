import type { CloudContext } from './context.js'
import type { CloudState } from './interface.js'

/** Why the cloud is in this state, in words for people. */
export function reasonOf(state: CloudState, context: CloudContext): string {
  switch (state) {
    case 'virtual':
      return 'not opened yet'
    case 'synchronizing':
      return 'looking for other nodes'
    case 'active':
      return 'other nodes are known'
    case 'alone':
      return context.parts.discovery.describe()
    case 'no-net':
      return `this host has no ${context.scope} IPv6 address any more`
    case 'closing':
      return 'telling the neighbours that our names are gone'
    case 'closed':
      return 'closed'
  }
}
