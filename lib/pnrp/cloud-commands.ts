import { ApplicationResolve } from './application-resolve.js'
import type { CloudContext } from './context.js'
import type { CloudCommand } from './interface.js'
import type { Pings } from './ping.js'

/** A command to a cloud that is open, other than opening and closing it. */
export function carryOutCommand(
  context: CloudContext,
  pings: Pings,
  command: Exclude<CloudCommand, { type: 'open' | 'close' }>,
): void {
  const { registrations, resolver, synchronization, maintenance } = context.parts
  switch (command.type) {
    case 'register':
      registrations.register(command.handle, command.spec)
      return
    case 'update':
      registrations.update(command.handle, command.spec)
      return
    case 'unregister':
      registrations.unregister(command.handle)
      return
    case 'resolve':
      new ApplicationResolve(context, command.handle, command.spec).start()
      return
    case 'cancel-resolve':
      resolver.cancel(command.handle)
      return
    case 'ping':
      pings.start(command.handle, command.to, command.pnrpId)
      return
    case 'synchronize':
      synchronization.start(command.to)
      return
    case 'repair':
      maintenance.repair()
      return
    case 'flush-cache':
      context.cache.clear()
      registrations.neighboursChanged([...registrations.all()].map(({ pnrpId }) => pnrpId))
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
