import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits until a question to another process is answered with yes: for facts that it does not
 * announce. The pause only spares the processor; the limit is what the requirement allows.
 */
export async function until(
  ask: () => Promise<boolean>,
  limitMs: number,
  what: string,
): Promise<number> {
  const start = performance.now()
  for (;;) {
    if (await ask()) return performance.now() - start
    const waited = performance.now() - start
    if (waited > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
    await pause(50)
  }
}
