// Runs tests against an addon built with AddressSanitizer and UBSan (gcc's or clang's runtime is
// preloaded, since node itself is not sanitized).
//
//   npm run test:sanitized [-- fragment…]      without fragments: what touches the native code
import { execFileSync, spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon } from './cmake.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = process.env.CC ?? 'cc'
const fragments = process.argv.slice(2)
const defaults = [
  ...['unit/native/', 'unit/wire/', 'unit/content/', 'unit/io/', 'property/', 'boundary/'],
]

const runtime = execFileSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
if (!path.isAbsolute(runtime)) {
  console.error(`${compiler} has no AddressSanitizer runtime (libasan)`)
  process.exit(1)
}
const directory = buildAddon({ sanitize: true })
const result = spawnSync(
  process.execPath,
  ['test/run.mjs', ...(fragments.length > 0 ? fragments : defaults)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PEERNET_PREBUILD: path.join(root, directory),
      LD_PRELOAD: runtime,
      // node frees little at exit, so leaks are looked for elsewhere (test/boundary).
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  },
)
process.exitCode = result.status ?? 1
