// Compiles C test programs over the sources of native/core with the system's compiler, sanitizers
// included when it has them. Objects are kept in build/native-test until their inputs change.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

const directory = 'build/native-test'
const compiler = process.env['CC'] ?? 'cc'
const warnings = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror']
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** Environment for running the programs: leak checking needs ptrace, which containers forbid. */
export const sanitizerEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}

export interface Program {
  /** Source files to compile, relative to the root; the first names the program. */
  readonly sources: readonly string[]
}

interface Sources {
  core: string[]
  /** What only tests and fuzzers link. */
  testing: string[]
}

function coreSources(): string[] {
  const list = JSON.parse(readFileSync('native/sources.json', 'utf8')) as Sources
  return [...list.core, ...list.testing].map((file) => `native/${file}`)
}

function filesBelow(root: string, pattern: RegExp): string[] {
  return readdirSync(root, { recursive: true })
    .map((name) => path.join(root, String(name)))
    .filter((name) => pattern.test(name))
    .sort()
}

let sanitizersWork: boolean | undefined

/** Whether the compiler can build and run a sanitized program here. */
export function hasSanitizers(): boolean {
  if (sanitizersWork !== undefined) return sanitizersWork
  mkdirSync(directory, { recursive: true })
  const probe = path.join(directory, `probe-${process.pid}`)
  writeFileSync(`${probe}.c`, 'int main(void) { return 0; }\n')
  const build = spawnSync(compiler, [...sanitizers, `${probe}.c`, '-o', probe])
  sanitizersWork =
    build.status === 0 && spawnSync(probe, { env: sanitizerEnvironment }).status === 0
  for (const file of [`${probe}.c`, probe]) rmSync(file, { force: true })
  return sanitizersWork
}

function flags(): string[] {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const sanitized = hasSanitizers() ? [...sanitizers, '-fno-omit-frame-pointer'] : []
  const common = ['-std=c11', '-O1', '-g', '-Inative', '-Itest/unit/native']
  return [...common, ...warnings, ...sanitized, `-DPN_VERSION="${version}"`]
}

function inputsStamp(file: string): string {
  const hash = createHash('sha256').update(`${compiler} ${flags().join(' ')}`)
  const headers = [...filesBelow('native', /\.(h|def)$/), ...filesBelow('test', /\.(h|inc)$/)]
  for (const input of [file, ...headers]) hash.update(input).update(readFileSync(input))
  return hash.digest('hex').slice(0, 20)
}

async function compile(args: string[]): Promise<void> {
  const child = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')} failed:\n${errors}`)
}

/** Compiles aside and renames, since several test processes may want the same file at once. */
async function compileTo(output: string, args: string[]): Promise<void> {
  const aside = `${output}.${process.pid}`
  await compile([...args, '-o', aside])
  renameSync(aside, output)
}

/** Object file of one source, compiled unless an object of the same inputs is there. */
async function objectOf(file: string): Promise<string> {
  const object = path.join(directory, `${file.replaceAll(/[/.]/g, '_')}-${inputsStamp(file)}.o`)
  if (!existsSync(object)) {
    await compileTo(object, [...flags(), '-c', file])
  }
  return object
}

async function forEachOfTwo<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  const queue = [...items]
  const next = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all([next(), next()])
}

/** Builds each program against the whole core; resolves to the executables' paths, in order. */
export async function buildPrograms(programs: readonly Program[]): Promise<string[]> {
  mkdirSync(directory, { recursive: true })
  const core = coreSources()
  const all = new Set([...core, ...programs.flatMap((program) => program.sources)])
  const objects = new Map<string, string>()
  await forEachOfTwo([...all], async (file) => {
    objects.set(file, await objectOf(file))
  })
  const outputs = programs.map((program) => executableOf(program, objects))
  await forEachOfTwo([...programs.keys()], async (index) => {
    const program = programs[index]
    const output = outputs[index]
    if (program === undefined || output === undefined || existsSync(output)) return
    const inputs = [...program.sources, ...core].map((file) => objects.get(file) ?? file)
    const sanitized = hasSanitizers() ? sanitizers : []
    await compileTo(output, [...sanitized, ...inputs])
  })
  return outputs
}

function executableOf(program: Program, objects: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const object of [...objects.values()].sort()) hash.update(object)
  const name = (program.sources[0] ?? '').replaceAll(/[/.]/g, '_')
  return path.join(directory, `${name}-${hash.digest('hex').slice(0, 12)}`)
}
