// The systems that peernet is measured beside: packages of bench/peers, which are no dependency of
// peernet and come when a benchmark wants them, and an adapter for each in bench/peers/NAME.mjs.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from './bench.js'

const directory = path.join(projectRoot, 'bench/peers')

type Packages = Record<string, { readonly version?: string; readonly optional?: boolean }>

function packagesOf(lockFile: string): Packages {
  const text = readFileSync(path.join(directory, lockFile), 'utf8')
  return (JSON.parse(text) as { packages: Packages }).packages
}

function areInstalled(): boolean {
  try {
    const found = packagesOf('node_modules/.package-lock.json')
    return Object.entries(packagesOf('package-lock.json')).every(
      ([name, { version, optional }]) =>
        name === '' || optional === true || found[name]?.version === version,
    )
  } catch {
    return false
  }
}

/**
 * Installs the locked versions when they are not there. A peer that cannot be had is an error: a
 * row is never left out.
 */
export function installPeers(): void {
  if (areInstalled()) return
  process.stderr.write('bench: installing the peers (npm ci in bench/peers)\n')
  // None of them needs its install script: those with native parts bring them prebuilt.
  const args = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  const result = spawnSync('npm', args, { cwd: directory, encoding: 'utf8' })
  if (result.status === 0 && areInstalled()) return
  throw new Error(`the peers cannot be installed in bench/peers\n${result.stderr}`)
}

/** The default export and the named ones of a peer's adapter. */
export async function importPeer<Adapter>(name: string): Promise<Adapter> {
  const file = path.join(directory, `${name}.mjs`)
  return (await import(pathToFileURL(file).href)) as Adapter
}
