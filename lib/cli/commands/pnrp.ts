import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { decodeLine, encodeLine } from '../../wire/json.js'

/** Waits for room when standard output is a slow pipe. */
function print(line: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(`${line}\n`)) resolve()
    else process.stdout.once('drain', resolve)
  })
}

async function eachLine(convert: (line: string) => string): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) await print(convert(line.trim()))
}

/**
 * `peernet pnrp decode | encode`: for people who test protocols. One line in, one line out, also of
 * an empty one; a bad line is never fatal.
 */
export function addPnrpCommands(program: Command): void {
  const pnrp = program.command('pnrp').description('read and build PNRP datagrams')
  pnrp
    .command('decode')
    .description('hex datagrams on standard input, one a line, to one JSON object a line')
    .action(() => eachLine(decodeLine))
  pnrp
    .command('encode')
    .description('JSON objects as printed by decode, one a line, to hex datagrams')
    .action(() => eachLine(encodeLine))
}
