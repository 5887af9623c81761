// Makes the release prebuild of this platform in prebuilds/, from headers beside the running node
// when they are there. Node-API keeps it loadable by later versions of Node.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const nodeDirectory = require('../native/install.cjs').findNodeDirectory()
const environment = { ...process.env }
if (nodeDirectory !== undefined) environment.npm_config_nodedir = nodeDirectory

const tool = path.join(path.dirname(require.resolve('prebuildify/package.json')), 'bin.js')
const result = spawnSync(process.execPath, [tool, '--napi', '--strip', '-t', '20.19.0'], {
  cwd: root,
  env: environment,
  stdio: 'inherit',
})
process.exitCode = result.status ?? 1
