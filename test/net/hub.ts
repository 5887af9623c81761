// Hosts on one Ethernet switch, made of network namespaces: own interfaces, own addresses, real
// multicast. Needs root and the `ip` tool; everything is taken down again by `close()`.
import { spawnSync } from 'node:child_process'
import { HostProgram } from '../helpers/host-program.js'

export { HostProgram }

function run(...args: string[]): string {
  const [command = '', ...rest] = args
  const result = spawnSync(command, rest, { encoding: 'utf8', timeout: 20_000 })
  if (result.status !== 0) {
    throw new Error(`${args.join(' ')}: ${result.stderr || String(result.error ?? result.signal)}`)
  }
  return result.stdout
}

/** Why no hub can be made here, or undefined. */
export function whyNoHub(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a Linux thing'
  if (process.getuid?.() !== 0) return 'making network namespaces takes root'
  const name = `pn-probe-${process.pid}`
  try {
    run('ip', 'netns', 'add', name)
    run('ip', '-n', name, 'link', 'add', 'b0', 'type', 'bridge')
    return undefined
  } catch (error) {
    return `network namespaces do not work here: ${String(error).slice(0, 200)}`
  } finally {
    spawnSync('ip', ['netns', 'del', name])
  }
}

export interface HubOptions {
  /** Give hosts a global address as well (fd5a::n/64). Default true. */
  readonly globalAddresses?: boolean
}

/** Hosts are numbered from 1; each has an interface e0 on the switch. */
export class Hub {
  static #made = 0
  readonly #prefix = `pn${process.pid}x${Hub.#made++}`
  readonly #programs: HostProgram[] = []
  readonly hosts: number

  constructor(hosts: number, options: HubOptions = {}) {
    this.hosts = hosts
    try {
      this.#make(options.globalAddresses ?? true)
    } catch (error) {
      this.#takeDown()
      throw error
    }
  }

  namespace(host: number): string {
    return `${this.#prefix}h${host}`
  }

  /** `ip` inside a host. */
  ip(host: number, ...args: string[]): string {
    return run('ip', '-n', this.namespace(host), ...args)
  }

  /** Runs a compiled script (path below build/js/test) in a host until `close()` at the latest. */
  start(host: number, script: string, ...args: string[]): HostProgram {
    const program = HostProgram.inNamespace(this.namespace(host), `build/js/test/${script}`, args)
    this.#programs.push(program)
    return program
  }

  /** Ends a program that was started elsewhere together with the hub. */
  hold(program: HostProgram): void {
    this.#programs.push(program)
  }

  async close(): Promise<void> {
    for (const program of this.#programs) program.kill('SIGKILL')
    await Promise.all(this.#programs.map((program) => program.end()))
    this.#takeDown()
  }

  #make(globalAddresses: boolean): void {
    const hub = `${this.#prefix}hub`
    run('ip', 'netns', 'add', hub)
    run('ip', '-n', hub, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0')
    run('ip', '-n', hub, 'link', 'set', 'br0', 'up')
    for (let host = 1; host <= this.hosts; host++) {
      const name = this.namespace(host)
      run('ip', 'netns', 'add', name)
      // No duplicate address detection: addresses can be used at once.
      const settings = ['all', 'default'].map((one) => `net.ipv6.conf.${one}.accept_dad=0`)
      run('ip', 'netns', 'exec', name, 'sysctl', '-qw', ...settings)
      const peer = ['type', 'veth', 'peer', 'name', `p${host}`, 'netns', hub]
      run('ip', 'link', 'add', 'e0', 'netns', name, ...peer)
      run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.e0.dad_transmits=0')
      this.ip(host, 'link', 'set', 'lo', 'up')
      if (globalAddresses) {
        this.ip(host, 'addr', 'add', `fd5a::${host.toString(16)}/64`, 'dev', 'e0', 'nodad')
      }
      this.ip(host, 'link', 'set', 'e0', 'up')
      run('ip', '-n', hub, 'link', 'set', `p${host}`, 'master', 'br0')
      run('ip', '-n', hub, 'link', 'set', `p${host}`, 'up')
    }
    for (let host = 1; host <= this.hosts; host++) this.#waitForLinkLocal(host)
  }

  /** The kernel gives e0 its fe80:: address when the link is up, a few milliseconds later. */
  #waitForLinkLocal(host: number): void {
    const deadline = Date.now() + 10_000
    for (;;) {
      const listed = this.ip(host, '-6', 'addr', 'show', 'dev', 'e0', 'scope', 'link')
      if (/inet6 fe80/.test(listed) && !/tentative/.test(listed)) return
      if (Date.now() > deadline) throw new Error(`no link-local address in host ${host}: ${listed}`)
    }
  }

  #takeDown(): void {
    const all = [`${this.#prefix}hub`]
    for (let host = 1; host <= this.hosts; host++) all.push(this.namespace(host))
    for (const name of all) spawnSync('ip', ['netns', 'del', name])
  }
}
