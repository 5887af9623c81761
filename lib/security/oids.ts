/** Object identifiers of PNRP certificates: MS-PNRP 2.2.3.5, MS-PPSEC 2.2.5, RFC 2315, RFC 2459. */

/** id-microsoftp2p. */
const P2P = '1.3.6.1.4.1.311.44'

export const Oid = {
  RSA_ENCRYPTION: '1.2.840.113549.1.1.1',
  SHA1_WITH_RSA: '1.2.840.113549.1.1.5',
  PKCS7_DATA: '1.2.840.113549.1.7.1',
  PKCS7_SIGNED_DATA: '1.2.840.113549.1.7.2',
  COMMON_NAME: '2.5.4.3',

  SUBJECT_ALT_NAME: '2.5.29.17',
  ISSUER_ALT_NAME: '2.5.29.18',
  /** Older identifiers of the same two, which MS-PPSEC certificates carry. */
  SUBJECT_ALT_NAME_OLD: '2.5.29.7',
  ISSUER_ALT_NAME_OLD: '2.5.29.8',
  EXTENDED_KEY_USAGE: '2.5.29.37',

  CERTIFICATE_TYPE: `${P2P}.0.1`,
  PEER_NAME_VALUE: `${P2P}.0.2`,
  CLASSIFIER_VALUE: `${P2P}.0.3`,
  CERTIFICATE_VERSION: `${P2P}.0.4`,
  PEER_NAME: `${P2P}.3.1`,
  ROLE: `${P2P}.3.3`,
  CLASSIFIERS: `${P2P}.3.5`,

  // MS-PPSEC only
  IDENTITY_FLAGS: `${P2P}.2.2`,
  GROUPING_FLAGS: `${P2P}.3.2`,
  PEER_AUTHENTICATION: `${P2P}.3.4`,
} as const
