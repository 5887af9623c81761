import type { Cloud } from '../../runtime/cloud.js'
import type { OpenCloudOptions } from '../../runtime/open-options.js'
import { checkJoined, checkSeed, openForCheck } from './cloud-checks.js'
import type { Finding } from './check.js'
import {
  checkAddresses,
  checkFirewall,
  checkIpv6,
  checkMulticast,
  checkPort,
  localAddresses,
} from './network-checks.js'

const PNRP_PORT = 3540

/**
 * "Why is my cloud alone?" One finding after the other, from the host's network up to the cloud.
 * The cloud that it opens is closed at the end.
 */
export async function* examine(
  openCloud: (options: OpenCloudOptions) => Promise<Cloud>,
  options: OpenCloudOptions,
): AsyncGenerator<Finding> {
  yield await checkIpv6()
  yield* checkAddresses()
  const port = options.port ?? PNRP_PORT
  if (port !== 0) yield await checkPort(port)
  const loopback = options.scope === 'loopback'
  if (options.ssdp !== false && !loopback) {
    const names = new Set(
      localAddresses()
        .filter(({ kind }) => kind === 'link-local')
        .map((address) => address.interface),
    )
    const chosen = options.interface === undefined ? [...names] : [options.interface]
    for (const name of chosen) yield await checkMulticast(name)
  }
  for (const { address } of chosenAddresses(options)) yield await checkFirewall(address)
  const { cloud, finding } = await openForCheck(openCloud, options)
  yield finding
  for (const seed of options.seeds ?? []) yield await checkSeed(cloud, seed)
  if (cloud === undefined) return
  try {
    yield await checkJoined(cloud, (options.seeds ?? []).length > 0)
  } finally {
    await cloud.close()
  }
}

function chosenAddresses(options: OpenCloudOptions): readonly { address: string }[] {
  if (options.addresses !== undefined) return options.addresses.map((address) => ({ address }))
  const wanted = options.scope ?? 'global'
  return localAddresses()
    .filter(({ kind }) => kind === wanted)
    .map((one) => ({
      address: one.kind === 'link-local' ? `${one.address}%${one.interface}` : one.address,
    }))
}
