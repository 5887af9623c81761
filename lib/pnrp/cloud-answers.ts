import type { CloudContext } from './context.js'
import type { CloudCommand, CloudState } from './interface.js'

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

/** Answers a command to a cloud that is not open (MS-PNRP 3.1.4.4, 3.1.4.5, 3.2.4.1). */
export function refuseCommand(
  { events }: CloudContext,
  command: Exclude<CloudCommand, { type: 'open' }>,
): void {
  const failure = {
    code: 'ERR_PEERNET_CLOUD_NOT_OPEN',
    message: 'the cloud is not open',
  } as const
  switch (command.type) {
    case 'close':
      events.push({ type: 'command-failed', command: 'close', failure })
      return
    case 'register':
    case 'update':
      events.push({ type: 'registration-failed', handle: command.handle, ...failure })
      return
    case 'unregister':
      events.push({ type: 'unregistered', handle: command.handle })
      return
    case 'resolve':
      events.push({
        type: 'resolve-done',
        handle: command.handle,
        outcome: 'failed',
        failure,
        refusals: [],
        lookups: 0,
        usefulHops: 0,
      })
      return
    case 'ping':
      events.push({ type: 'pong', handle: command.handle })
      return
    case 'cancel-resolve':
    case 'synchronize':
    case 'repair':
    case 'flush-cache':
    // nothing to do, and nobody waits for an answer
  }
}
