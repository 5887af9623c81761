import { addon } from './addon.js'

/**
 * Is `tcpSend` there on this system? It gives bytes to a connected TCP socket without waiting, and
 * returns how many were taken: 0 when there is no room, or an error that the next ordinary write
 * will come upon.
 */
export const { tcpCanSend, tcpSend } = addon
