export * from '../core/address-text.js'
