import { join } from 'node:path'
import { formatAddress, parseAddress, requireEndpoint } from '../core/address-text.js'
import { checkArgument } from '../core/errors.js'
import { LIMITS } from '../core/limits.js'
import {
  AddressWatch,
  chooseCloudAddresses,
  defaultScope,
  findLocalAddress,
  type LocalAddress,
} from '../io/interfaces.js'
import { parseSeed } from '../io/seed-lookup.js'
import { CloudMachine } from '../pnrp/cloud.js'
import type { CloudScope } from '../pnrp/interface.js'
import { LastUsedStore } from '../storage/last-used-store.js'
import { statePaths } from '../storage/paths.js'
import { checkNotAborted } from './aborting.js'
import { Cloud } from './cloud.js'
import { SocketCloudDriver } from './cloud-driver.js'
import { CloudHost, type CloudHostOptions } from './cloud-host.js'
import { checkOpenCloudOptions, type OpenCloudOptions } from './open-options.js'
import { ProcessRuntime } from './process-runtime.js'
import { CloudSigning } from './signing.js'
import { openSsdp } from './ssdp.js'

const PNRP_PORT = 3540

/**
 * Opens this process's node in a cloud and starts joining it: last-used nodes, SSDP multicast, then
 * seeds (MS-PNRP 3.1.4.1, 3.1.4.2). Resolves when it listens; `cloud.whenJoined()` waits for
 * others.
 *
 * Rejects with ERR_PEERNET_INVALID_ARG, ERR_PEERNET_NO_IPV6, ERR_PEERNET_NO_ADDRESS,
 * ERR_PEERNET_PORT_IN_USE, ERR_PEERNET_PERMISSION, ERR_PEERNET_STATE_CORRUPT, ERR_PEERNET_ABORTED.
 */
export async function openCloud(options: OpenCloudOptions = {}): Promise<Cloud> {
  checkOpenCloudOptions(options)
  const { signal, port = PNRP_PORT } = options
  checkArgument(
    Number.isInteger(port) && (port === 0 || (port >= LIMITS.lowestPort && port <= 65_535)),
    `port is ${LIMITS.lowestPort}..65535, or 0 for any free one`,
  )
  checkNotAborted(signal, 'opening the cloud')
  const { scope, addresses } = chooseAddresses(options)
  const runtime = ProcessRuntime.shared
  const lastUsed = await loadLastUsed(options, scope, addresses)
  const host: CloudHostOptions = {
    seeds: (options.seeds ?? []).map(parseSeed),
    ssdp: { unavailable: 'multicast discovery is switched off' },
    ...(lastUsed === undefined ? {} : { lastUsed }),
  }
  const usesSsdp = options.ssdp ?? scope !== 'loopback'
  const late: { driver?: SocketCloudDriver } = {}
  const ssdp = usesSsdp
    ? openSsdp({
        addresses,
        followsGlobal: scope === 'global' && !options.addresses && !options.interface,
        transport: runtime.transport(options.transport ?? 'native'),
        deliver: (event) => late.driver?.localEvent(event),
      })
    : host.ssdp
  const driver = new SocketCloudDriver({
    runtime,
    scope,
    ...(scope === 'global' ? {} : { zone: (addresses[0] as LocalAddress).interface }),
    host: new CloudHost({ ...host, ssdp }),
    signing: await CloudSigning.open(runtime.crypto),
    machine: new CloudMachine({
      scope,
      rng: runtime.rng,
      resolveOnly: options.resolveOnly ?? false,
    }),
  })
  late.driver = driver
  const cloud = new Cloud(driver)
  driver.listen((event) => {
    cloud.handleEvent(event)
  })
  try {
    await listenOn(driver, options, addresses, port)
    checkNotAborted(signal, 'opening the cloud')
  } catch (error) {
    await driver.close()
    throw error
  }
  driver.localEvent({ type: 'addresses', endpoints: driver.endpoints })
  const seeds = host.seeds.flatMap((seed) => (seed.kind === 'endpoint' ? [seed.endpoint] : []))
  driver.command({ type: 'open', seeds, lastUsed: lastUsed?.nodes ?? [] })
  if (options.addresses === undefined) followAddresses(driver, options, scope)
  return cloud
}

/** MS-PNRP 3.1.4.1: addresses of one scope and zone; explicit ones as the caller says (N-67). */
function chooseAddresses(options: OpenCloudOptions): {
  scope: CloudScope
  addresses: LocalAddress[]
} {
  if (options.addresses === undefined && options.scope !== 'loopback') {
    const scope = options.scope ?? defaultScope()
    const wish = options.interface === undefined ? {} : { interface: options.interface }
    return { scope, addresses: chooseCloudAddresses({ scope, ...wish }) }
  }
  const texts = options.addresses ?? ['::1']
  checkArgument(
    texts.length >= 1 && texts.length <= LIMITS.localEndpoints,
    `addresses has 1 to ${LIMITS.localEndpoints} entries`,
  )
  const addresses = texts.map((text) => {
    const parsed = parseAddress(text)
    checkArgument(parsed !== undefined, `not an IPv6 address: ${text}`)
    return findLocalAddress(parsed.address, parsed.zone ?? options.interface)
  })
  const { kind } = addresses[0] as LocalAddress
  checkArgument(
    kind === 'global' || kind === 'site-local' || kind === 'link-local' || kind === 'loopback',
    `no cloud can use ${kind} addresses`,
  )
  checkArgument(
    addresses.every((one) => one.kind === kind) && (options.scope ?? kind) === kind,
    'all addresses of a cloud have its scope',
  )
  const zones = new Set(addresses.map((one) => one.interface))
  checkArgument(
    kind === 'global' || zones.size === 1,
    `addresses of a ${kind} cloud are on one interface`,
  )
  return { scope: kind, addresses }
}

/** All addresses of a cloud share one port; with port 0 the first address chooses it. */
async function listenOn(
  driver: SocketCloudDriver,
  options: OpenCloudOptions,
  addresses: readonly LocalAddress[],
  port: number,
): Promise<void> {
  const transport = ProcessRuntime.shared.transport(options.transport ?? 'native')
  let chosen = port
  for (const { address, scopeId } of addresses) {
    const opened = await driver.node.listen(transport, { address, scopeId, port: chosen })
    chosen = opened.port
  }
}

/** MS-PNRP 3.1.7.1, 3.2.7.2. */
function followAddresses(
  driver: SocketCloudDriver,
  options: OpenCloudOptions,
  scope: CloudScope,
): void {
  const wish = options.interface === undefined ? {} : { interface: options.interface }
  const watch = new AddressWatch({ scope, ...wish }, (addresses) => {
    void moveTo(driver, options, addresses)
  })
  driver.onClose(() => {
    watch.close()
  })
}

async function moveTo(
  driver: SocketCloudDriver,
  options: OpenCloudOptions,
  addresses: readonly LocalAddress[],
): Promise<void> {
  const key = (one: { address: Uint8Array; scopeId: number }): string =>
    `${formatAddress(one.address)}%${one.scopeId}`
  const wanted = new Set(addresses.map(key))
  const port = driver.ports[0]?.port ?? options.port ?? PNRP_PORT
  for (const old of driver.ports) if (!wanted.has(key(old))) driver.node.unlisten(old)
  const have = new Set(driver.ports.map(key))
  for (const one of addresses) {
    if (have.has(key(one)) || driver.node.closed) continue
    // An address that cannot be had yet (duplicate address detection) comes with the next change.
    await listenOn(driver, options, [one], port).catch(() => {})
  }
  driver.localEvent({ type: 'addresses', endpoints: driver.endpoints })
}

async function loadLastUsed(
  options: OpenCloudOptions,
  scope: CloudScope,
  addresses: readonly LocalAddress[],
): Promise<
  | (NonNullable<CloudHostOptions['lastUsed']> & {
      readonly nodes: ReturnType<typeof requireEndpoint>[]
    })
  | undefined
> {
  const directory = options.stateDirectory ?? statePaths().state
  if (directory === false || (scope === 'loopback' && options.stateDirectory === undefined)) {
    return undefined
  }
  const store = new LastUsedStore(join(directory, 'last-used.json'))
  const zone = scope === 'global' ? '' : `%${(addresses[0] as LocalAddress).interface}`
  const key = `${scope}${zone}`
  const nodes = (await store.load(key)).map(requireEndpoint)
  return { store, key, nodes }
}
