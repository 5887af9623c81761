// Globals of Node that plain JavaScript files here use; anything else is a typing mistake.
const names = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'URL',
  'clearInterval',
  'clearTimeout',
  'console',
  'performance',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
]
const commonJs = ['require', 'module', 'exports', '__dirname', '__filename']

export default Object.fromEntries([...names, ...commonJs].map((name) => [name, 'readonly']))
