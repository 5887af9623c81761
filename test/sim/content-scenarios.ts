import { seconds } from '#lib/core/instant.js'
import { ContentWorld, spread, VICES, type ContentWorldOptions } from './content-world.js'

const BYTES = 64 * 1024 * 1024
const ORIGIN_RATE = 10_000_000

export interface SwarmReport {
  /** What the origin sent, in contents. */
  readonly origin: number
  readonly seconds: number
  readonly slowest: number
  readonly unfinished: number
  readonly lists: number
  readonly searches: number
  readonly failures: readonly string[]
}

function report(world: ContentWorld, starts: readonly number[], most: number): SwarmReport {
  const bytes = world.downloaders[0]?.blocks.length ?? 0
  const origin = world.originBytes / (bytes * 65_536)
  const unfinished = starts.length - world.downloaders.filter((p) => p.finishedAt < Infinity).length
  const took = world.downloaders.map((p, i) => p.finishedAt - (starts[i] as number))
  const round = (n: number) => Math.round(n * 100) / 100
  const failures: string[] = []
  if (unfinished > 0) failures.push(`${unfinished} did not finish`)
  if (origin > most) failures.push(`the origin sent ${round(origin)} contents, more than ${most}`)
  return {
    ...{
      origin: round(origin),
      seconds: round(world.now / 1e6),
      slowest: round(Math.max(...took) / 1e6),
    },
    ...{ unfinished, lists: world.lists, searches: world.searches, failures },
  }
}

type Options = Partial<ContentWorldOptions> & { readonly peers?: number }

const alone = (bytes: number, rate: number): number => (bytes / rate) * 1e6

/** One after another over the time of ten downloads. */
export function oneAfterAnother(seed: number, options: Options = {}, most = 1.3): SwarmReport {
  const { bytes = BYTES, originRate = ORIGIN_RATE, peers = 50 } = options
  const starts = spread(seed, peers, 10 * alone(bytes, originRate))
  const world = new ContentWorld({ seed, bytes, originRate, ...options, starts })
  world.run(seconds(600))
  return report(world, starts, most)
}

/** All in the same instant. */
export function allAtOnce(seed: number, options: Options = {}, most = 3): SwarmReport {
  const { bytes = BYTES, originRate = ORIGIN_RATE, peers = 50 } = options
  const starts = Array.from({ length: peers }, () => 0)
  const world = new ContentWorld({ seed, bytes, originRate, ...options, starts })
  world.run(seconds(600))
  return report(world, starts, most)
}

/** 35 honest peers among 15 that lie or stall. */
export function amongLiars(seed: number, options: Options = {}): SwarmReport {
  const vices = Array.from({ length: 15 }, (_, i) => VICES[i % VICES.length] ?? 'claims')
  return oneAfterAnother(seed, { peers: 35, vices, ...options }, 1.3)
}

/** One peer, nobody else. */
export function lone(seed: number, options: Options = {}): SwarmReport {
  return allAtOnce(seed, { ...options, peers: 1 }, 1)
}
