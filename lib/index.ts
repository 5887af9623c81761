export { nativeVersion } from './native/addon.js'
