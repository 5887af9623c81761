// Fills the directory given until it is killed; test/unit/storage/replay-store-kill.test.ts.
import { randomBytes } from 'node:crypto'
import { ReplayStore, type SealedBlock } from '#lib/storage/replay-store.js'

/** What a segment's block is, so that whoever knows the ID knows the bytes. */
export function sealedOf(segmentId: Uint8Array): SealedBlock {
  const byte = segmentId[0] ?? 0
  return {
    cipher: 1,
    iv: new Uint8Array(segmentId.subarray(0, 16)),
    block: new Uint8Array(40_016).fill(byte),
  }
}

if (process.argv[2] !== undefined) {
  const store = await ReplayStore.open({ directory: process.argv[2], maxBytes: 2_000_000 })
  process.stdout.write('ready\n')
  for (;;) {
    const segmentId = randomBytes(32)
    const segment = { segmentId, segmentBytes: 40_000, version: 2 } as const
    await store.put(segment, 0, sealedOf(segmentId), 'a')
  }
}
