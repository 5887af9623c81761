// The only file that loads the native addon. Everything else under lib/native is a typed
// façade over what this module exports; none of it holds logic.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** What native/binding/module.cc exports. One member per `Init…(env, exports)` call there. */
export interface Addon {
  /** Version of the package the native core was built from. */
  readonly version: string
}

const require = createRequire(import.meta.url)
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

function load(): Addon {
  const nodeGypBuild = require('node-gyp-build') as (directory: string) => unknown
  return nodeGypBuild(packageRoot) as Addon
}

export const addon: Addon = load()

/** Version of the native core in use; equals the package version. */
export const nativeVersion: string = addon.version
