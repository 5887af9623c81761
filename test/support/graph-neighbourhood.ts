import type { GraphEvent, RecordSpec } from '#lib/graph/interface.js'
import type { Failure } from '#lib/graph/parts.js'
import type { GraphSecurityProvider, RecordVerdict } from '#lib/graph/security-provider.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { TestNode, type TestLink } from './graph-node.js'
import { APP_TYPE, HOUR, T0 } from './graph-records.js'

export const SPEC: RecordSpec = { type: APP_TYPE, expirationTime: T0 + HOUR }

export function good(result: GraphRecord | Failure): GraphRecord {
  if ('code' in result) throw new Error(`${result.code}: ${result.message}`)
  return result
}

export function code(result: GraphRecord | Failure): string {
  return 'code' in result ? result.code : 'it was carried out'
}

/** A node and three neighbours. */
export function neighbourhood(options: ConstructorParameters<typeof TestNode>[0] = {}): {
  node: TestNode
  peers: TestNode[]
  links: TestLink[]
} {
  const node = new TestNode(options)
  const peers = ['bob', 'carol', 'dave'].map((peerId) => new TestNode({ peerId, creates: false }))
  const links = peers.map((peer) => peer.connect(node, { start: false }).other)
  return { node, peers, links }
}

/** Who got a FLOOD of which version of this record. */
export function floods(node: TestNode, links: readonly TestLink[]): string[] {
  settleOne(node)
  return node.links.sent.flatMap(({ link, message }) => {
    if (message.type !== 'FLOOD') return []
    return [`${links.indexOf(link)}:v${message.record.version}`]
  })
}

export function settleOne(node: TestNode): void {
  while (node.links.deliver());
}

export function changes(events: readonly GraphEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'record' ? [`${event.change} v${event.record.version} ${event.local}`] : [],
  )
}

/** A provider that answers so. */
export function provider(
  verdict: RecordVerdict | ((record: GraphRecord) => RecordVerdict),
): GraphSecurityProvider {
  return {
    name: 'test',
    maxFrame: 16_348,
    openSession: () => {
      throw new Error('records need no session')
    },
    validate: (each) => (typeof verdict === 'string' ? verdict : verdict(each)),
    secure: () => new Uint8Array(4),
  }
}
