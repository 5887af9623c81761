import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { decodeGraphLine } from '../../wire/graph/json.js'

async function decodeLines(littleEndian: boolean): Promise<void> {
  const order = littleEndian ? 'little-endian' : 'big-endian'
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    if (line.trim() === '') continue
    for (const decoded of decodeGraphLine(line, order)) {
      if (!process.stdout.write(`${decoded}\n`)) {
        await new Promise((resolve) => process.stdout.once('drain', resolve))
      }
    }
  }
}

/** `peernet graph decode`: for people who test protocols. A bad line is never fatal. */
export function addGraphDecodeCommand(program: Command): void {
  const graph =
    program.commands.find((command) => command.name() === 'graph') ??
    program.command('graph').description('graphs of nodes that share records')
  graph
    .command('decode')
    .description('hex messages, or frames with messages, one a line, to one JSON object a message')
    .option('--little-endian', 'strings of records are little-endian')
    .action((options: { littleEndian?: boolean }) => decodeLines(options.littleEndian === true))
}
