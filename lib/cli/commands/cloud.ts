import type { Command } from 'commander'
import type { Json, JsonObject } from '../../daemon/controller.js'
import { formatMs, shortId, type Output } from '../output.js'
import {
  cloudParams,
  runSession,
  untilAborted,
  withCloudFlags,
  type CloudFlags,
} from '../session.js'

interface CloudRow extends JsonObject {
  readonly cloud: string
  readonly scope: string
  readonly state: string
  readonly reason: string
  readonly endpoints: readonly string[]
}

function printCloud(output: Output, row: CloudRow): void {
  output.line(`Cloud      ${output.paint('bold', row.cloud)} (${row.scope})`)
  output.line(`State      ${row.state}: ${row.reason}`)
  for (const endpoint of row.endpoints) output.line(`Endpoint   ${endpoint}`)
}

/** `peernet cloud …` */
export function addCloudCommands(program: Command): void {
  const cloud = program.command('cloud').description('the clouds this host takes part in')
  addList(cloud)
  addShow(cloud)
  addStatistics(cloud)
  addCache(cloud)
  addSyncRepair(cloud)
  addSeed(cloud)
}

function addList(cloud: Command): void {
  const list = cloud.command('list').description('clouds that the daemon has open')
  list.action(() =>
    runSession(list, async ({ output, controller }) => {
      const rows = (await controller.call('cloud.list', {})) as readonly CloudRow[]
      output.value(rows)
      if (rows.length === 0) {
        output.line(
          controller.remote ? 'No cloud is open yet.' : 'No daemon runs: no cloud is open.',
        )
        return
      }
      output.table(
        ['SCOPE', 'STATE', 'ADDR', 'CLOUD', 'REASON'],
        rows.map((row) => [
          row.scope,
          row.state,
          String(row.endpoints.length),
          row.cloud,
          row.reason,
        ]),
      )
    }),
  )
}

function addShow(cloud: Command): void {
  const show = withCloudFlags(
    cloud.command('show').description('join a cloud and say where it stands'),
  )
  show.action((flags: CloudFlags) =>
    runSession(show, async ({ output, controller, signal }) => {
      const row = (await controller.call('cloud.join', cloudParams(flags), { signal })) as CloudRow
      output.value(row)
      printCloud(output, row)
    }),
  )
}

function addStatistics(cloud: Command): void {
  const statistics = withCloudFlags(
    cloud.command('statistics').description('size, cache, signatures and every counter'),
  )
  statistics.action((flags: CloudFlags) =>
    runSession(statistics, async ({ output, controller, signal }) => {
      await controller.call('cloud.join', cloudParams(flags), { signal })
      const value = await controller.call('cloud.statistics', cloudParams(flags))
      output.value(value)
      printStatistics(output, value as unknown as StatisticsRow)
    }),
  )
}

function addCache(cloud: Command): void {
  const cache = withCloudFlags(cloud.command('cache').description('the nodes this node knows'))
  cache.option('--flush', 'forget them all')
  cache.action((flags: CloudFlags & { flush?: boolean }) =>
    runSession(cache, async ({ output, controller, signal }) => {
      const params = cloudParams(flags)
      await controller.call('cloud.join', params, { signal })
      if (flags.flush === true) await controller.call('cloud.flush', params)
      const rows = (await controller.call('cloud.cache', params)) as unknown as CacheRow[]
      output.value(rows as unknown as Json)
      output.table(
        ['PNRP ID', 'ENDPOINT', 'CHECKED', 'LEAF SET'],
        rows.map((row) => [
          shortId(row.pnrpId),
          row.endpoints.join(' '),
          `${formatMs(row.validatedMsAgo)} ago`,
          row.leaf ? 'yes' : '',
        ]),
      )
    }),
  )
}

function addSyncRepair(cloud: Command): void {
  const sync = withCloudFlags(
    cloud.command('sync').argument('<node>', '[address]:port').description('ask a node for others'),
  )
  sync.action((node: string, flags: CloudFlags) =>
    runSession(sync, async ({ output, controller, signal }) => {
      const params = cloudParams(flags)
      await controller.call('cloud.join', params, { signal })
      await controller.call('cloud.sync', { ...params, node })
      const row = (await controller.call('cloud.join', params, { signal })) as CloudRow
      output.value(row)
      printCloud(output, row)
    }),
  )

  const repair = withCloudFlags(
    cloud.command('repair').description('search for other nodes and test for a split now'),
  )
  repair.action((flags: CloudFlags) =>
    runSession(repair, async ({ output, controller, signal }) => {
      const params = cloudParams(flags)
      await controller.call('cloud.join', params, { signal })
      await controller.call('cloud.repair', params)
      const row = (await controller.call('cloud.join', params, { signal })) as CloudRow
      output.value(row)
      printCloud(output, row)
    }),
  )
}

function addSeed(cloud: Command): void {
  const seed = withCloudFlags(
    cloud
      .command('seed')
      .description('stay in the foreground as a node that others can use as seed'),
  )
  seed.action((flags: CloudFlags) =>
    runSession(seed, async ({ output, controller, signal }) => {
      const row = (await controller.call('cloud.join', cloudParams(flags), { signal })) as CloudRow
      output.value(row)
      printCloud(output, row)
      output.line(`Others join with   --seed ${row.endpoints[0] ?? ''}`)
      output.line('Ctrl-C leaves.')
      await untilAborted(signal)
    }),
  )
}

interface CacheRow {
  readonly pnrpId: string
  readonly endpoints: readonly string[]
  readonly validatedMsAgo: number
  readonly leaf: boolean
}

interface StatisticsRow extends CloudRow {
  readonly cacheEntries: number
  readonly registrations: number
  readonly pendingRequests: number
  readonly resolvesActive: number
  readonly estimatedNodes: number | null
  readonly signatures: { readonly made: number; readonly checked: number; readonly waiting: number }
  readonly counters: Readonly<Record<string, number>>
  readonly dialect: Readonly<Record<string, string>>
}

function printStatistics(output: Output, row: StatisticsRow): void {
  printCloud(output, row)
  const size =
    row.estimatedNodes === null ? 'size unknown' : `about ${row.estimatedNodes.toFixed(0)}`
  output.line(`Nodes      ${size} (estimated from the distance of neighbours on the ring)`)
  output.line(`Cache      ${row.cacheEntries} entries`)
  output.line(`Names      ${row.registrations} registered here`)
  output.line(`Waiting    ${row.pendingRequests} requests, ${row.resolvesActive} resolves`)
  const { made, checked, waiting } = row.signatures
  output.line(`Signatures ${made} made, ${checked} checked, ${waiting} waiting`)
  output.line()
  output.table(
    ['COUNTER', 'COUNT'],
    Object.entries(row.counters).map(([name, count]) => [name, String(count)]),
  )
  output.line()
  output.table(['DIALECT', 'VALUE'], Object.entries(row.dialect))
}
