import {
  DelegatedIdentity,
  PeerIdentity,
  type Cloud,
  type OpenCloudOptions,
  type ResolutionEvent,
  type ResolvedRecord,
} from '../../index.js'
import { formatMs, type Output } from '../output.js'
import { runContentAct } from './content-act.js'
import { runGraphAct } from './graph-act.js'
import { DemoWorld, type DemoNode } from './world.js'

export interface DemoOptions {
  readonly nodes: number
  readonly transport?: OpenCloudOptions['transport']
}

/** Nothing in the demo takes this long unless it is broken. */
const PATIENCE_MS = 15_000

/** The guided tour that `npm start` shows. Throws when a step does not do what it claims. */
export async function runDemo(output: Output, options: DemoOptions): Promise<void> {
  const world = new DemoWorld(options.transport)
  try {
    output.line(output.paint('bold', 'peernet: names and shared records without a server'))
    output.line(
      'Everything is real UDP and TCP between sockets on ::1, except where it says simulated.',
    )
    await form(output, world, options.nodes)
    const chapter = await publish(output, world)
    await resolveAll(output, world, chapter)
    await leave(output, world, chapter)
  } finally {
    await world.close()
  }
  let number = 5
  const next = (text: string): void => {
    heading(output, number++, text)
  }
  await runGraphAct(output, next)
  await runContentAct(output, next)
  closing(output, number)
}

function heading(output: Output, number: number, text: string): void {
  output.line()
  output.line(output.paint('cyan', `${number}. ${text}`))
}

async function form(output: Output, world: DemoWorld, count: number): Promise<void> {
  heading(output, 1, 'A cloud forms')
  const start = performance.now()
  await world.grow(count)
  const ms = performance.now() - start
  const known = world.nodes.map(({ cloud }) => cloud.cache().length).sort((a, b) => a - b)
  output.value({ step: 'cloud', nodes: count, milliseconds: ms })
  output.line(
    `   ${count} nodes joined in ${formatMs(ms)}. Each was told one address, ` +
      `${world.first.cloud.endpoints[0] ?? ''},`,
  )
  output.line(
    `   and now knows ${known[0] ?? 0} to ${known.at(-1) ?? 0} others: nobody knows everybody, ` +
      'nobody is in charge.',
  )
}

interface Published {
  readonly ada: DemoNode
  readonly bob: DemoNode
  readonly unsecured: string
  readonly secure: string
  readonly delegated: string
  readonly closeSecure: () => Promise<void>
}

async function publish(output: Output, world: DemoWorld): Promise<Published> {
  heading(output, 2, 'Names are published')
  const [ada, bob] = [world.node(0), world.node(1)]
  const identity = await PeerIdentity.create({ friendlyName: 'Ada' })
  const delegate = await PeerIdentity.create({ friendlyName: 'Bob' })

  const unsecured = '0.lobby'
  await bob.cloud.register(unsecured, {
    endpoints: [{ address: '::1', port: 5001 }],
    comment: 'anybody may publish this',
  })
  row(output, 'Bob', unsecured, 'unsecured: first come, no proof')

  const name = identity.peerName('chat')
  const secure = await ada.cloud.register(name, {
    endpoints: [{ address: '::1', port: 4711 }],
    comment: 'Ada at her desk',
    payload: 'Hello from Ada: 4 KB of your own data fit here',
  })
  row(output, 'Ada', name.toString(), 'secure: only her key can sign it')

  const delegation = identity.delegate({ to: delegate, classifiers: ['guests'] })
  const delegatedName = `${identity.authority}.guests`
  await bob.cloud.register(delegatedName, {
    identity: new DelegatedIdentity(delegate, delegation),
    endpoints: [{ address: '::1', port: 4712 }],
    comment: 'Bob, in the name of Ada',
  })
  row(output, 'Bob', delegatedName, 'delegated: Ada signed a certificate for Bob')
  return {
    ada,
    bob,
    unsecured,
    secure: name.toString(),
    delegated: delegatedName,
    closeSecure: () => secure.close(),
  }
}

function row(output: Output, who: string, name: string, what: string): void {
  output.value({ step: 'published', who, name })
  const shown = name.length > 24 ? `${name.slice(0, 8)}…${name.slice(40)}` : name
  output.line(`   ${who.padEnd(4)} ${shown.padEnd(18)} ${what}`)
}

async function resolveAll(output: Output, world: DemoWorld, names: Published): Promise<void> {
  heading(output, 3, 'Nodes that never heard of them find them')
  const askers = world.nodes.slice(2)
  for (const name of [names.unsecured, names.secure, names.delegated]) {
    const longest = await longestWalk(askers, name)
    printWalk(output, longest)
  }
}

interface Walk {
  readonly asker: DemoNode
  readonly name: string
  readonly events: readonly ResolutionEvent[]
  readonly record: ResolvedRecord
  readonly tried: number
}

/** Asks from several nodes, so that the walk shown is not the shortest. */
async function longestWalk(askers: readonly DemoNode[], name: string): Promise<Walk> {
  let best: Walk | undefined
  const some = askers.filter((_, index) => index % 6 === 0)
  for (const asker of some) {
    const resolution = asker.cloud.resolve(name, { timeoutMs: PATIENCE_MS })
    const record = await resolution.first()
    const events: ResolutionEvent[] = []
    for await (const event of resolution) events.push(event)
    const hops = (walk: readonly ResolutionEvent[]): number =>
      walk.filter(({ type }) => type === 'answer').length
    if (best === undefined || hops(events) > hops(best.events)) {
      best = { asker, name, events, record, tried: some.length }
    }
  }
  if (best === undefined) throw new RangeError('the demo needs more nodes')
  return best
}

const PROOF: Record<ResolvedRecord['verified'], string> = {
  authority: 'signature checked: made by the key that the name is made of',
  chain: 'signature and certificate chain checked, up to the key that the name is made of',
  none: 'signature intact, but an unsecured name proves nobody',
}

function printWalk(output: Output, walk: Walk): void {
  const { asker, record, events } = walk
  const end = events.at(-1)
  output.value({
    step: 'resolved',
    asker: asker.name,
    record: { ...record, payload: null } as never,
  })
  const shown =
    walk.name.length > 24 ? `${walk.name.slice(0, 8)}…${walk.name.slice(40)}` : walk.name
  output.line(
    `   ${output.paint('bold', shown)} asked by ${asker.name} ` +
      `(the longest way of ${walk.tried} askers)`,
  )
  for (const event of events) {
    if (event.type === 'answer' || event.type === 'found') {
      const ms = formatMs(event.rttMs ?? 0)
      output.line(`     ${event.node.padEnd(12)} ${ms.padStart(8)}  ${event.detail}`)
    }
  }
  const endpoint = record.endpoints[0]
  output.line(
    `     → ${endpoint === undefined ? '' : `[${endpoint.address}]:${endpoint.port}`} ` +
      `"${record.comment ?? ''}" in ${formatMs(end?.atMs ?? 0)}`,
  )
  output.line(`     ${output.paint('green', '✓')} ${PROOF[record.verified]}`)
}

async function leave(output: Output, world: DemoWorld, names: Published): Promise<void> {
  heading(output, 4, 'A publisher leaves')
  const start = performance.now()
  await names.closeSecure()
  const asker = world.nodes.at(-1) as DemoNode
  const gone = await untilGone(asker.cloud, names.secure)
  const ms = performance.now() - start
  if (!gone) throw new Error('the name of a publisher that left is still found')
  output.value({ step: 'gone', milliseconds: ms })
  output.line(
    `   Ada unregisters. ${formatMs(ms)} later ${asker.name} asks again: ` +
      `${output.paint('green', 'not found')}. Her neighbours were told by a signed revocation.`,
  )
}

/** Asks again until the name is not found; its neighbours hear of the end first. */
async function untilGone(cloud: Cloud, name: string): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    const records = await cloud.resolve(name, { timeoutMs: PATIENCE_MS }).results
    if (records.length === 0) return true
  }
  return false
}

function closing(output: Output, number: number): void {
  heading(output, number, 'Do it yourself')
  output.line('   In two terminals:')
  output.line('     npx peernet peer register 0.hello --address ::1 --port 3540 --listen 8080')
  output.line('     npx peernet peer resolve 0.hello --address ::1 --port 0 --seed [::1]:3540')
  output.line('     npx peernet graph create chat')
  output.line("     npx peernet graph join chat '[address]:port'     (create prints this line)")
  output.line('   In a program:')
  output.line("     import { openCloud } from 'peernet'")
  output.line("     const cloud = await openCloud({ scope: 'link-local' })")
  output.line("     const record = await cloud.resolve('0.hello').first()")
  output.line("     import { createGraph } from 'peernet'")
  output.line("     const graph = await createGraph({ graphId: 'chat', peerId: 'Ada' })")
  output.line('   Why does my cloud stay alone?   npx peernet doctor')
}
