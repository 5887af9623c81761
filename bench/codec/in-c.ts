// Compiles bench/codec/codec.c with the native core, as the product is compiled, and runs it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from '../bench.js'

const at = (name: string): string => path.join(projectRoot, name)
const program = at('build/bench/codec')

function sources(): string[] {
  const listed = JSON.parse(readFileSync(at('native/sources.json'), 'utf8')) as { core: string[] }
  const core = listed.core.map((name) => `native/${name}`)
  return ['bench/codec/codec.c', 'test/fuzz/support/assert.c', ...core]
}

function compile(): void {
  mkdirSync(path.dirname(program), { recursive: true })
  const flags = ['-std=c11', '-O2', '-Inative', '-DPN_VERSION="bench"']
  const args = [...flags, ...sources(), '-o', program]
  execFileSync(process.env['CC'] ?? 'cc', args, { cwd: projectRoot, stdio: 'inherit' })
}

function isCurrent(): boolean {
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const headers = readdirSync(at('native/core')).filter((name) => name.endsWith('.h'))
  const inputs = [...sources(), ...headers.map((name) => `native/core/${name}`)]
  return inputs.every((name) => statSync(at(name)).mtimeMs < built)
}

/** Pairs per CPU-second of the native core on this datagram. */
export function measureInC(datagram: Uint8Array, seconds: number): number {
  if (!isCurrent()) compile()
  return Number(execFileSync(program, [String(seconds)], { input: datagram }))
}
