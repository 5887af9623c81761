import type { JsonObject } from '../../daemon/controller.js'
import type { RecordRow } from '../../daemon/graph-service.js'
import { safeText, type Output } from '../output.js'

const SHOWN_TEXT = 60

/** A payload in one line. */
export function summary({ text, bytes, deleted }: RecordRow): string {
  if (deleted) return '(deleted)'
  if (text === undefined) return `(${bytes} bytes)`
  return oneLine(text)
}

/** Shortened text of strangers. */
export function oneLine(text: string): string {
  const start = [...text.slice(0, 4 * SHOWN_TEXT)]
  const more = text.length > 4 * SHOWN_TEXT || start.length > SHOWN_TEXT
  return safeText(start.slice(0, SHOWN_TEXT).join('')) + (more ? '…' : '')
}

export function attributesText({ attributes }: RecordRow): string {
  return attributes
    .map(({ name, type, value }) => `${name}${type === 'string' ? '' : `:${type}`}=${value}`)
    .map(oneLine)
    .join(' ')
}

/** `2026-01-31 18:00:05`, UTC. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, '')
}

export function printRecords(output: Output, rows: readonly RecordRow[]): void {
  if (rows.length === 0) {
    output.line('No records.')
    return
  }
  output.table(
    ['ID', 'BY', 'V', 'MODIFIED (UTC)', 'ATTRIBUTES', 'PAYLOAD'],
    rows.map((row) => [
      row.id,
      oneLine(row.creatorId),
      String(row.version),
      timeText(row.modified),
      attributesText(row),
      summary(row),
    ]),
  )
}

/** All about one record. */
export function printRecord(output: Output, row: RecordRow): void {
  const lines: readonly (readonly [string, string])[] = [
    ['Record', output.paint('bold', row.id)],
    ['Type', row.type],
    ['Version', `${row.version}${row.deleted ? ' (deleted)' : ''}`],
    ['By', safeText(row.creatorId)],
    ...(row.lastModifiedBy === undefined
      ? []
      : ([['Changed by', safeText(row.lastModifiedBy)]] as const)),
    ['Created', timeText(row.created)],
    ['Modified', timeText(row.modified)],
    ['Expires', timeText(row.expires)],
    ...row.attributes.map(
      ({ name, type, value }) => ['Attribute', `${name} (${type}) = ${safeText(value)}`] as const,
    ),
    ['Payload', row.text === undefined ? `${row.bytes} bytes` : safeText(row.text)],
  ]
  for (const [name, value] of lines) output.line(`${name.padEnd(10)} ${value}`)
}

/** What happened, in a line; undefined for what people need not see. */
export function eventText(event: JsonObject): string | undefined {
  switch (event['type']) {
    case 'record':
      return recordEventText(event)
    case 'node': {
      const { peerId, nodeId } = event['node'] as { peerId: string; nodeId: string }
      const words = { connected: 'is here', updated: 'moved', disconnected: 'has gone' }
      const what = words[event['change'] as keyof typeof words]
      return `${oneLine(peerId)} (${nodeId}) ${what}`
    }
    case 'neighbor': {
      const who = typeof event['peerId'] === 'string' ? `${oneLine(event['peerId'])} ` : ''
      const end = typeof event['end'] === 'string' ? `: ${event['end']}` : ''
      return `neighbour ${who}at ${event['remote'] as string} ${event['change'] as string}${end}`
    }
    case 'data': {
      const text = event['text']
      return `data: ${typeof text === 'string' ? oneLine(text) : '(bytes)'}`
    }
    case 'connection-required':
      // The machine asks so, too, when all is well and it only looks for other parts of the graph.
      return event['why'] === 'alone'
        ? 'nobody is left to talk to: others can join here, or `join` again at another address'
        : undefined
    case 'clock-rejected':
      return `a neighbour's clock is ${Math.round(Number(event['offsetMs']) / 1000)} s off`
    case 'properties':
      return 'the graph has new properties'
    case 'synchronized':
      return 'has all records'
    default:
      return undefined
  }
}

function recordEventText(event: JsonObject): string {
  const row = event['record'] as unknown as RecordRow
  const attributes = attributesText(row)
  return (
    `${(event['change'] as string).padEnd(7)} ${row.id} v${row.version} ` +
    `${oneLine(row.lastModifiedBy ?? row.creatorId)}: ${summary(row)}` +
    (attributes === '' ? '' : ` [${attributes}]`)
  )
}
