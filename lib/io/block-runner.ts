import { runBlocks, type BlockWork } from '../native/content-blocks.js'

/** Batches on the thread pool at once, and works in one. */
const BATCHES = 3
const LARGEST = 64

interface Waiting {
  readonly work: BlockWork
  readonly resolve: (result: boolean) => void
}

/** Blocks waiting to be sealed, opened or checked; what waits together goes together. */
const waiting: Waiting[] = []
let batches = 0
let isScheduled = false

/** Does the work on the thread pool; its memory is borrowed until the promise settles. */
export function runOnPool(work: BlockWork): Promise<boolean> {
  return new Promise((resolve) => {
    waiting.push({ work, resolve })
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      start()
    })
  })
}

function start(): void {
  while (waiting.length > 0 && batches < BATCHES) {
    const batch = waiting.splice(0, LARGEST)
    batches += 1
    runBlocks(
      batch.map(({ work }) => work),
      (results) => {
        batches -= 1
        batch.forEach(({ resolve }, i) => {
          resolve(results[i] === true)
        })
        start()
      },
    )
  }
}
