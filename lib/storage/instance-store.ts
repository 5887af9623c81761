import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from './atomic-file.js'

/** The InstanceId of the latest run of discovery (MS-PCCRD 2.2.3.6, DA-39): a file of one line. */
export class InstanceFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Undefined when there is none: the clock then does alone. */
  async load(): Promise<number | undefined> {
    const text = await readFile(this.#path, 'latin1').catch(() => '')
    return /^\d{1,15}\n$/.test(text) ? Number(text) : undefined
  }

  /** Rejects with the system's error. */
  save(instanceId: number): Promise<void> {
    return writeFileAtomic(this.#path, `${instanceId}\n`)
  }
}
