import { GraphDatabase } from '#lib/graph/database.js'
import type { GraphMessage } from '#lib/wire/graph/messages.js'
import type { GraphRecord } from '#lib/wire/graph/record.js'
import { numberedId, record, SECOND, T0 } from './graph-records.js'
import { settle, TestNode } from './graph-node.js'

export function member(
  records: Iterable<GraphRecord> = [],
  options: ConstructorParameters<typeof TestNode>[0] = {},
): TestNode {
  const database = new GraphDatabase()
  for (const each of records) database.put(each)
  return new TestNode({ creates: false, loaded: true, leftAt: T0, database, ...options })
}

export function newcomer(options: ConstructorParameters<typeof TestNode>[0] = {}): TestNode {
  return new TestNode({ creates: false, ...options })
}

/** n records, a second apart. */
export function series(n: number, from = 0): GraphRecord[] {
  return Array.from({ length: n }, (_, i) => {
    return record({ id: numberedId(from + i), creationTime: T0 + BigInt(from + i) * SECOND })
  })
}

export function sentOf<T extends GraphMessage['type']>(
  node: TestNode,
  type: T,
): Extract<GraphMessage, { type: T }>[] {
  return node.links.sent
    .map(({ message }) => message)
    .filter((m): m is Extract<GraphMessage, { type: T }> => m.type === type)
}

/** Two nodes that have settled, so that a further link is for hashes only. */
export function settledPair(
  a: readonly GraphRecord[],
  b: readonly GraphRecord[],
): [TestNode, TestNode] {
  const [asking, answering] = [member(a), member(b)]
  const helper = member()
  asking.connect(helper)
  settle(asking, helper)
  asking.takeSent()
  asking.takeEvents()
  // It takes no part in what follows.
  asking.links.neighbors.length = 0
  return [asking, answering]
}
