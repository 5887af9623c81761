import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A Node program of its own process; its lines of JSON are answers and news. */
export class HostProgram {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #waiting: { test: (line: never) => boolean; resolve: (line: never) => void }[] = []
  readonly lines: unknown[] = []
  errors = ''

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: 'pipe' })
    this.#child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as never
      this.lines.push(line)
      for (const [i, { test, resolve }] of [...this.#waiting.entries()].reverse()) {
        if (!test(line)) continue
        this.#waiting.splice(i, 1)
        resolve(line)
      }
    })
  }

  /** Runs a compiled script on this host. */
  static here(script: string, args: readonly string[]): HostProgram {
    return new HostProgram(process.execPath, ['--enable-source-maps', script, ...args])
  }

  /** Runs it in a network namespace. */
  static inNamespace(namespace: string, script: string, args: readonly string[]): HostProgram {
    return new HostProgram('ip', ['netns', 'exec', namespace, process.execPath, script, ...args])
  }

  tell(command: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`)
  }

  /** The first line, past or to come, that passes the test; rejects after the time or its end. */
  async sees<T>(what: string, test: (line: T) => boolean, ms = 10_000): Promise<T> {
    const past = (this.lines as T[]).find(test)
    if (past !== undefined) return past
    return await new Promise<T>((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer)
        this.#child.removeListener('exit', ended)
        const last = this.lines.slice(-20).map((line) => JSON.stringify(line).slice(0, 300))
        const said = `${last.join('\n')} ${this.errors}`
        reject(new Error(`waited for ${what}, ${why}; so far: ${said}`))
      }
      const ended = (): void => {
        fail('but the program ended')
      }
      const timer = setTimeout(() => {
        fail(`${ms} ms in vain`)
      }, ms)
      this.#child.once('exit', ended)
      this.#waiting.push({
        test: test,
        resolve: (line) => {
          clearTimeout(timer)
          this.#child.removeListener('exit', ended)
          resolve(line)
        },
      })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends its input and waits until it is gone. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return this.#child.exitCode
    this.#child.stdin.end()
    const [code] = (await once(this.#child, 'exit')) as [number | null]
    return code
  }
}
