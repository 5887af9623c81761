// A child process with one node of a cloud on ::1, told what to do by its parent over IPC.
import { openCloud, PeerIdentity, type Cloud, type Registration } from 'peernet'

export type Request =
  | { readonly do: 'open'; readonly seeds: readonly string[]; readonly name: string }
  | { readonly do: 'register'; readonly classifier: string; readonly secure: boolean }
  | { readonly do: 'resolve'; readonly name: string }
  | { readonly do: 'cache' }
  | { readonly do: 'close' }

export interface Resolved {
  readonly status: string
  readonly ms: number
  readonly ports: readonly number[]
  readonly verified: readonly string[]
}

let cloud: Cloud | undefined
const registrations: Registration[] = []

function opened(): Cloud {
  if (cloud === undefined) throw new Error('not opened')
  return cloud
}

async function carryOut(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'open':
      cloud = await openCloud({ addresses: ['::1'], port: 0, seeds: request.seeds })
      registrations.push(
        await cloud.register(`0.${request.name}`, {
          endpoints: [{ address: '::1', port: process.pid % 50_000 }],
        }),
      )
      if (request.seeds.length > 0) await cloud.whenJoined()
      return cloud.endpoints[0]
    case 'register': {
      const { classifier, secure } = request
      const identity = secure ? await PeerIdentity.create() : undefined
      const name = identity?.peerName(classifier) ?? `0.${classifier}`
      registrations.push(
        await opened().register(name, {
          endpoints: [{ address: '::1', port: 4711 }],
        }),
      )
      return name.toString()
    }
    case 'resolve': {
      const resolution = opened().resolve(request.name)
      const records = await resolution.results
      const { status, milliseconds } = await resolution.summary
      const ports = records.flatMap(({ endpoints }) => endpoints.map(({ port }) => port))
      const verified = records.map((record) => record.verified)
      return { status, ms: milliseconds, ports, verified } satisfies Resolved
    }
    case 'cache':
      return opened()
        .cache()
        .flatMap(({ endpoints }) => endpoints)
    case 'close':
      await opened().close()
      return null
  }
}

process.on('message', ({ id, request }: { id: number; request: Request }) => {
  carryOut(request).then(
    (result) => process.send?.({ id, result: result ?? null }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
