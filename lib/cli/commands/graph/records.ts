import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { PeernetError } from '../../../core/errors.js'
import type { Json, JsonObject } from '../../../daemon/controller.js'
import { checkPayloadSize, type RecordRow } from '../../../daemon/graph-service.js'
import { systemCode } from '../../../storage/atomic-file.js'
import {
  parseAttribute,
  parseDate,
  parseDuration,
  parseGuidText,
  parseTerm,
  TEXT_TYPE,
} from '../../graph/arguments.js'
import { eventText, printRecord, printRecords } from '../../graph/print.js'
import { runOnGraph, type GraphSession } from '../../graph/session.js'
import { safeText } from '../../output.js'

interface ContentFlags {
  readonly file?: string
  readonly attribute?: string[]
  readonly expires?: string
  readonly lifetime?: string
  readonly autorefresh?: boolean
}

/** What fits a line of the control socket, as base64. */
const SHORT_BYTES = 32_768

const collect = (value: string, list: string[] = []): string[] => [...list, value]

export function withPeer(command: Command): Command {
  return command.option('--peer-id <id>', 'whose node, when several are here')
}

function withContent(command: Command): Command {
  return withPeer(command)
    .option('--file <path>', 'the payload; - reads standard input')
    .option('--attribute <name=value>', 'name=text, name:int=3, name:date=… (repeatable)', collect)
    .option('--expires <date>', 'when it ends, such as 2026-12-31T18:00Z')
    .option('--lifetime <time>', 'how long it lasts: 90s, 5m, 2h, 7d (default a day)')
    .option('--autorefresh', 'renew it for as long as this node is in the graph')
}

/** `publish`, `update`, `delete`, `records`, `search`, `show`, `watch`. */
export function addRecords(graph: Command): void {
  addPublish(graph)
  addUpdateDelete(graph)
  addLists(graph)
  addShow(graph)
  addWatch(graph)
}

function addPublish(graph: Command): void {
  const publish = withContent(
    graph
      .command('publish')
      .argument('<graph>')
      .argument('[text]', 'the payload')
      .description('publish a record')
      .option('--type <guid>', 'record type (default: that of texts)', TEXT_TYPE),
  )
  publish.action((graphId: string, text: string | undefined, flags: ContentFlags & TypeFlag) =>
    runOnGraph(publish, graphId, 'write', async (session) => {
      const type = parseGuidText(flags.type ?? TEXT_TYPE, '--type')
      const row = await withContentOf(text, flags, (content) =>
        session.controller.call('graph.publish', { type, ...content }, session),
      )
      session.output.value(withoutPayload(row, session.online))
      printWritten(session, `Published ${(row as RecordRow).id}`, row)
    }),
  )
}

interface TypeFlag {
  readonly type?: string
}

function addUpdateDelete(graph: Command): void {
  const update = withContent(
    graph
      .command('update')
      .argument('<graph>')
      .argument('<id>', 'of the record')
      .argument('[text]', 'the new payload')
      .description('replace the payload, the attributes or the end of a record'),
  )
  update.action((graphId: string, id: string, text: string | undefined, flags: ContentFlags) =>
    runOnGraph(update, graphId, 'write', async (session) => {
      const row = await withContentOf(text, flags, (content) => {
        if (Object.keys(content).length === 0) {
          throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'nothing to change was given')
        }
        return session.controller.call('graph.update', { id, ...content }, session)
      })
      session.output.value(withoutPayload(row, session.online))
      const { version } = row as RecordRow
      printWritten(session, `Updated ${id}: version ${version}`, row)
    }),
  )

  const remove = withPeer(
    graph
      .command('delete')
      .argument('<graph>')
      .argument('<id>', 'of the record')
      .description('delete a record everywhere'),
  )
  remove.action((graphId: string, id: string) =>
    runOnGraph(remove, graphId, 'write', async (session) => {
      const row = await session.controller.call('graph.delete', { id })
      session.output.value({ ...(row as JsonObject), online: session.online })
      printWritten(session, `Deleted ${id}`, row)
    }),
  )
}

function printWritten({ output, online, peerId }: GraphSession, what: string, row: Json): void {
  output.line(what)
  const { neighbors } = row as { neighbors: number }
  if (!online) {
    output.problem(
      `Note: this graph is not open here. Others get it when ${safeText(peerId)} joins again.`,
    )
  } else if (neighbors === 0) {
    output.problem('Note: this node has no neighbour now. Others get it when they meet again.')
  }
}

function withoutPayload(row: Json, online: boolean): JsonObject {
  const kept = Object.entries(row as JsonObject).filter(
    ([name]) => name !== 'payload' && name !== 'text',
  )
  return { ...Object.fromEntries(kept), online }
}

interface ListFlags extends TypeFlag {
  readonly creator?: string
  readonly deleted?: boolean
  readonly internal?: boolean
}

function addLists(graph: Command): void {
  const records = withPeer(
    graph
      .command('records')
      .argument('<graph>')
      .description('all records, the oldest first')
      .option('--type <guid>', 'only of this type')
      .option('--creator <peer>', 'only of this peer')
      .option('--deleted', 'deleted ones that have not expired, too')
      .option('--internal', 'those that the graph uses itself, too'),
  )
  records.action((graphId: string, flags: ListFlags) =>
    runOnGraph(records, graphId, 'read', (session) =>
      printList(session, 'graph.records', {
        ...(flags.type === undefined ? {} : { type: parseGuidText(flags.type, '--type') }),
        ...(flags.creator === undefined ? {} : { creatorId: flags.creator }),
        deleted: flags.deleted === true,
        internal: flags.internal === true,
      }),
    ),
  )

  const search = withPeer(
    graph
      .command('search')
      .argument('<graph>')
      .argument('<terms...>', 'name=value, name>=3, name=a*, … that all hold; or a query in XML')
      .description('records by their attributes'),
  )
  search.action((graphId: string, terms: string[]) => {
    return runOnGraph(search, graphId, 'read', (session) => {
      const [first = ''] = terms
      const query = first.trimStart().startsWith('<')
        ? { query: terms.join(' ') }
        : { filter: { and: terms.map(parseTerm) } as unknown as JsonObject }
      return printList(session, 'graph.search', query)
    })
  })
}

async function printList(
  { controller, output, signal }: GraphSession,
  method: string,
  params: JsonObject,
): Promise<void> {
  const rows: RecordRow[] = []
  await controller.call(method, params, {
    signal,
    onEvent: (row) => {
      output.value(row)
      if (!output.json) rows.push(row as RecordRow)
    },
  })
  if (!output.json) printRecords(output, rows)
}

function addShow(graph: Command): void {
  const show = withPeer(
    graph
      .command('show')
      .argument('<graph>')
      .argument('<id>', 'of the record')
      .description('one record')
      .option('--payload', 'write its payload to standard output, as it is'),
  )
  show.action((graphId: string, id: string, flags: { payload?: boolean }) =>
    runOnGraph(show, graphId, 'read', async ({ controller, output, signal }) => {
      if (flags.payload === true) {
        await controller.call(
          'graph.payload',
          { id },
          {
            signal,
            onEvent: (piece) => process.stdout.write(Buffer.from(piece as string, 'base64')),
          },
        )
        return
      }
      const row = (await controller.call('graph.record', { id })) as RecordRow
      output.value(row)
      printRecord(output, row)
    }),
  )
}

function addWatch(graph: Command): void {
  const watch = withPeer(
    graph
      .command('watch')
      .argument('<graph>')
      .description('print what happens, until Ctrl-C')
      .option('--type <guid>', 'records of this type (repeatable)', collect)
      .option('--event <kind>', 'record, node, neighbor, data, status, … (repeatable)', collect),
  )
  watch.action((graphId: string, flags: { type?: string[]; event?: string[] }) =>
    runOnGraph(watch, graphId, 'open', async ({ controller, output, signal, peerId }) => {
      const types = flags.type?.map((type) => parseGuidText(type, '--type'))
      await controller.call(
        'graph.watch',
        {
          ...(types === undefined ? {} : { types }),
          ...(flags.event === undefined ? {} : { events: flags.event }),
        },
        {
          signal,
          onEvent: (value) => {
            const event = value as JsonObject
            output.value(event)
            const text =
              event['type'] === 'watching'
                ? `Watching ${safeText(graphId)} as ${safeText(peerId)}. Ctrl-C ends.`
                : eventText(event)
            if (text === undefined) return
            const time = new Date().toTimeString().slice(0, 8)
            output.line(`${output.paint('dim', time)}  ${text}`)
          },
        },
      )
    }),
  )
}

/** The flags as parameters of a call; a long payload goes by way of a file. */
export async function withContentOf<T>(
  text: string | undefined,
  flags: ContentFlags,
  use: (content: JsonObject) => Promise<T>,
): Promise<T> {
  const { file, attribute, expires, lifetime, autorefresh } = flags
  if (text !== undefined && file !== undefined) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', 'a text or --file, not both')
  }
  if (expires !== undefined && lifetime !== undefined) {
    throw new PeernetError('ERR_PEERNET_INVALID_ARG', '--expires or --lifetime, not both')
  }
  const rest: JsonObject = {
    ...(attribute === undefined
      ? {}
      : { attributes: attribute.map((one) => ({ ...parseAttribute(one) })) }),
    ...(expires === undefined ? {} : { expires: parseDate(expires) }),
    ...(lifetime === undefined ? {} : { lifetimeMs: parseDuration(lifetime) }),
    ...(autorefresh === undefined ? {} : { autorefresh }),
  }
  const source = file === undefined ? undefined : await sourceOf(file)
  if (typeof source === 'string') return use({ ...rest, file: source })
  const payload =
    source !== undefined
      ? await readAll(source)
      : text === undefined
        ? undefined
        : Buffer.from(text)
  if (payload === undefined) return use(rest)
  if (payload.length <= SHORT_BYTES) return use({ ...rest, payload: payload.toString('base64') })
  const temporary = join(tmpdir(), `peernet-${randomBytes(9).toString('hex')}`)
  await writeFile(temporary, payload, { flag: 'wx', mode: 0o600 })
  try {
    return await use({ ...rest, file: temporary })
  } finally {
    await rm(temporary, { force: true })
  }
}

/** A path that the process which has the graph open can read as well, or what only this one can. */
async function sourceOf(file: string): Promise<string | AsyncIterable<Buffer>> {
  if (file === '-') return process.stdin
  try {
    const found = await stat(file)
    if (found.isFile()) return await realpath(file)
    if (found.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    return createReadStream(file) as AsyncIterable<Buffer>
  } catch (error) {
    const why = systemCode(error) ?? 'failed'
    throw new PeernetError('ERR_PEERNET_SYSTEM', `cannot read ${file}: ${why}`, { cause: error })
  }
}

/** Stops when it is too much for a record. */
async function readAll(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    chunks.push(chunk)
    checkPayloadSize((bytes += chunk.length))
  }
  return Buffer.concat(chunks)
}
