// Encode + decode pairs, no crypto: in C, through the binding in batches and one by one, beside the
// codecs of two other name systems. A pair is one message encoded and decoded, with every field of
// it read: each number, each byte of a byte string, the length of a text.
import { ok } from 'node:assert/strict'
import * as batches from '../codec/batches.js'
import { BATCH, singleRound, type CodecPeer, type PairRound } from '../codec/exchange.js'
import { measureInC } from '../codec/in-c.js'
import * as objects from '../codec/objects.js'
import { encodeAnswer, encodeLookup } from '../codec/samples.js'
import { importPeer } from '../peers.js'
import { cpuSeconds, type BenchCase, type BenchSuite, type TrialOptions } from '../bench.js'

const IN_C = 'C'
const BATCHES = `batches of ${BATCH}`
const SINGLE = 'single messages'
const peers = ['compact-encoding', 'bencode']

/** Pairs per CPU-second of this process, collector and compiler included. */
function measure(round: PairRound, seconds: number): number {
  let sink = 0
  let rounds = 0
  const run = (until: number): number => {
    rounds = 0
    const start = cpuSeconds()
    let used = 0
    for (; used < until; used = cpuSeconds() - start) {
      for (let i = 0; i < 20; i++) sink += round()
      rounds += 20
    }
    return used
  }
  run(seconds / 2)
  const used = run(seconds)
  ok(sink > 0)
  return (rounds * BATCH) / used
}

async function roundOf(system: string, kind: keyof CodecPeer): Promise<PairRound> {
  const isLookup = kind === 'request'
  if (system === SINGLE)
    return isLookup ? singleRound(objects.request) : singleRound(objects.response)
  if (system !== BATCHES) return singleRound((await importPeer<CodecPeer>(system))[kind])
  const round = isLookup ? batches.lookupRound : batches.answerRound
  round()
  const encode = isLookup ? encodeLookup : encodeAnswer
  for (const i of [0, BATCH - 1]) ok(Buffer.compare(batches.lastDatagram(i), encode(i)) === 0)
  return round
}

async function pairs(system: string, kind: keyof CodecPeer, { quick }: TrialOptions) {
  const seconds = quick ? 0.02 : 1
  if (system !== IN_C) return { pairs: measure(await roundOf(system, kind), seconds) }
  const datagram = kind === 'request' ? encodeLookup(0) : encodeAnswer(0)
  return { pairs: measureInC(datagram, seconds) }
}

function pairCase(title: string, kind: keyof CodecPeer): BenchCase {
  return {
    case: title,
    n: BATCH,
    systems: [IN_C, BATCHES, SINGLE, ...peers],
    peers,
    reference: 'compact-encoding',
    metrics: { pairs: 'pairs/CPU-s' },
    trial: (system, options) => pairs(system, kind, options),
  }
}

const suite: BenchSuite = {
  name: 'codec',
  cases: [
    pairCase('LOOKUP beside get requests', 'request'),
    pairCase('AUTHORITY with CPA beside get responses', 'response'),
  ],
}
export default suite
