// Runs in a host of the hub: one node with the options of the command line, as told on standard
// input. Ends in order when its input ends.
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { openCloud, type OpenCloudOptions } from '#lib/index.js'

const options = JSON.parse(process.argv[2] ?? '{}') as OpenCloudOptions
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

interface Command {
  /** 'await': say so when the cloud is in the state `name`. */
  readonly do: 'register' | 'resolve' | 'await'
  readonly name: string
}

const cloud = await openCloud(options)
say({ open: cloud.endpoints })

async function obey(command: Command): Promise<void> {
  const { name } = command
  if (command.do === 'register') {
    const registration = await cloud.register(name, {
      endpoints: [{ address: 'auto', port: 4000 }],
    })
    say({ registered: name, status: registration.status })
  } else if (command.do === 'resolve') {
    const record = await cloud.resolve(name, { timeoutMs: 5000 }).first()
    say({ resolved: name, address: record.endpoints[0]?.address })
  } else {
    while (cloud.state.state !== name) await setTimeout(10)
    say(cloud.state)
  }
}

createInterface({ input: process.stdin })
  .on('line', (text) => {
    const command = JSON.parse(text) as Command
    obey(command).catch((error: unknown) => {
      say({ failed: command, error: String(error) })
    })
  })
  .on('close', () => {
    void cloud.close()
  })
