import { LIMITS } from '../core/limits.js'

/**
 * 3.1.2 Authentication Timer, GA-06: 20 + 280 * e^(-c/10) seconds, in microseconds.
 *
 * @param connections c: those that are open already
 */
export function authenticationTimeout(connections: number): number {
  const { graphAuthenticationMinUs, graphAuthenticationMaxUs, graphAuthenticationScale } = LIMITS
  const range = graphAuthenticationMaxUs - graphAuthenticationMinUs
  const share = Math.exp(-connections / graphAuthenticationScale)
  return Math.round(graphAuthenticationMinUs + range * share)
}
