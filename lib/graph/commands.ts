import type { ErrorCode } from '../core/errors.js'
import { PING_TYPE } from './constants.js'
import type { GraphContext } from './context.js'
import type { GraphCommand } from './interface.js'
import type { Links } from './links.js'
import type { Failure } from './parts.js'

type CommandOf<T extends GraphCommand['type']> = Extract<GraphCommand, { type: T }>

/** What the application wants, MS-PPGRH 3.1.4: about connections here, the rest handed on. */
export class Commands {
  readonly #context: GraphContext
  readonly #links: Links
  /** Of 'listen' and 'close' until they are done. */
  #listen: number | undefined
  #close: number | undefined

  constructor(context: GraphContext, links: Links) {
    this.#context = context
    this.#links = links
  }

  carryOut(command: GraphCommand): void {
    if (this.#context.closing) {
      this.refuse(command)
      return
    }
    switch (command.type) {
      case 'publish':
      case 'update':
      case 'delete':
      case 'revalidate':
        this.#context.parts.records.handleCommand(command)
        return
      case 'listen':
        this.#startListening(command)
        return
      case 'connect':
        this.#connect(command)
        return
      case 'close':
        this.#leave(command)
        return
      default:
        this.#carryOutAtOnce(command)
    }
  }

  /** Those that are done, or not, when they return. */
  #carryOutAtOnce(
    command: CommandOf<
      'disconnect' | 'send' | 'allow-direct' | 'presence' | 'node-attributes' | 'properties'
    >,
  ): void {
    const context = this.#context
    const { maintenance } = context.parts
    let failure: Failure | undefined
    switch (command.type) {
      case 'send':
        failure = this.#send(command)
        if (failure === undefined) return
        break
      case 'disconnect':
        failure = this.#disconnect(command)
        break
      case 'allow-direct':
        context.allowDirect = command.allow
        break
      case 'presence':
        maintenance.setPresence(command.force)
        break
      case 'node-attributes':
        failure = maintenance.setNodeAttributes(command.attributes)
        break
      case 'properties':
        failure = maintenance.setProperties(command.changes)
    }
    if (failure === undefined) context.done(command.handle)
    else context.fail(command.handle, failure.code, failure.message)
  }

  refuse(command: GraphCommand): void {
    this.#context.fail(command.handle, 'ERR_PEERNET_CLOSED', 'the graph is closed')
  }

  /** 3.1.4.8 */
  #startListening(command: CommandOf<'listen'>): void {
    const context = this.#context
    if (this.#listen !== undefined || context.listening.length > 0) {
      const message = 'this node listens already'
      context.fail(command.handle, 'ERR_PEERNET_INVALID_ARG', message)
      return
    }
    this.#listen = command.handle
    context.effects.push({ type: 'listen', port: command.port })
  }

  /** The driver has said where this node listens. */
  listening(): void {
    if (this.#listen === undefined) return
    this.#context.done(this.#listen)
    this.#listen = undefined
  }

  listenFailed(code: ErrorCode, message: string): void {
    if (this.#listen === undefined) return
    this.#context.fail(this.#listen, code, message)
    this.#listen = undefined
  }

  /** 3.1.4.9 */
  #connect(command: CommandOf<'connect'>): void {
    const context = this.#context
    const { direct, handle, peerId, to, topology = false } = command
    // 3.1.7.15 asks for what 3.1.4.9 forbids: who was asked may connect.
    const repair = !direct && this.#links.neighbors.length > 0
    if (repair && !context.parts.maintenance.takeRepairTurn()) {
      const message = 'this node has neighbours: it finds further ones itself'
      context.fail(handle, 'ERR_PEERNET_ALREADY_CONNECTED', message)
      return
    }
    const wanted = { direct, topology, handle, repair, ...(peerId === undefined ? {} : { peerId }) }
    const result = this.#links.connect(to, wanted)
    if (typeof result !== 'number') context.fail(handle, result.code, result.message)
  }

  #disconnect(command: CommandOf<'disconnect'>): Failure | undefined {
    const link = this.#links.get(command.connection)
    if (link === undefined || link.state === 'disconnecting') return NO_CONNECTION
    this.#links.disconnect(link, 'application')
    return undefined
  }

  /** 3.1.5.2.13, sending. */
  #send(command: CommandOf<'send'>): Failure | undefined {
    const link = this.#links.get(command.connection)
    if (link?.state !== 'connected') return NO_CONNECTION
    if (command.dataType === PING_TYPE) {
      return { code: 'ERR_PEERNET_INVALID_ARG', message: 'this data type is reserved for Ping' }
    }
    return this.#links.outbox.sendData(link, command.handle, command.dataType, command.data)
  }

  /** 3.1.4.12 */
  #leave(command: CommandOf<'close'>): void {
    const context = this.#context
    const { maintenance, sync } = context.parts
    this.#close = command.handle
    maintenance.withdraw()
    sync.closing()
    context.closing = true
    if (this.#listen !== undefined || context.listening.length > 0) {
      context.effects.push({ type: 'stop-listening' })
    }
    if (this.#listen !== undefined) {
      this.listenFailed('ERR_PEERNET_CLOSED', 'the graph is closed')
    }
    this.#links.disconnectAll()
  }

  /** Everything is done. */
  closed(): void {
    if (this.#close !== undefined) this.#context.done(this.#close)
  }
}

const NO_CONNECTION: Failure = {
  code: 'ERR_PEERNET_CLOSED',
  message: 'there is no such connection, or it is not connected',
}
