import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { PeernetError, systemCode } from '../core/errors.js'

export interface PasswordFlags {
  readonly passwordFile?: string
}

/**
 * A password from --password-file, the variable PEERNET_PASSWORD, or asked for on the terminal
 * without echo. Throws ERR_PEERNET_WRONG_PASSWORD when there is no way to ask.
 */
export async function passwordFor(what: string, flags: PasswordFlags): Promise<string> {
  if (flags.passwordFile !== undefined) {
    const { passwordFile } = flags
    return firstLine(
      passwordFile === '-' ? await text(process.stdin) : await readText(passwordFile),
    )
  }
  const fromEnvironment = process.env['PEERNET_PASSWORD']
  if (fromEnvironment !== undefined) return fromEnvironment
  if (!process.stdin.isTTY) {
    throw new PeernetError(
      'ERR_PEERNET_WRONG_PASSWORD',
      `${what} needs a password: give --password-file or set PEERNET_PASSWORD`,
    )
  }
  return askHidden(`Password for ${what}: `)
}

/** A file that the user named. Throws ERR_PEERNET_SYSTEM, ERR_PEERNET_PERMISSION. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const code = systemCode(cause)
    const why =
      { ENOENT: 'there is no such file', EISDIR: 'it is a directory' }[code ?? ''] ?? String(cause)
    throw new PeernetError(
      code === 'EACCES' ? 'ERR_PEERNET_PERMISSION' : 'ERR_PEERNET_SYSTEM',
      `cannot read ${file}: ${why}`,
      { cause },
    )
  }
}

function firstLine(content: string): string {
  return content.split(/\r?\n/, 1)[0] ?? ''
}

function askHidden(prompt: string): Promise<string> {
  process.stderr.write(prompt)
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  return new Promise((resolve) => {
    lines.question('', (answer) => {
      lines.close()
      process.stderr.write('\n')
      resolve(answer)
    })
  })
}
