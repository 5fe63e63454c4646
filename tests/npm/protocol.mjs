// Messages of OpenID4VCI by other hands: npm's dpop, jose and @openid4vc make what we read, and read what we make.
// One JSON value comes in on stdin, {"task": NAME, …}; one goes out on stdout. A message that is not good ends it.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as dpop from 'dpop'
import { clientAuthenticationAnonymous, createClientAttestationJwt, Oauth2AuthorizationServer } from '@openid4vc/oauth2'
import { clientAuthenticationClientAttestationJwt } from '@openid4vc/oauth2'
import { createKeyAttestationJwt, Openid4vciClient, Openid4vciIssuer } from '@openid4vc/openid4vci'
import * as jose from 'jose'

const certificate = (x5c) => `-----BEGIN CERTIFICATE-----\n${x5c.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----`
const jwkOfDid = (did) => JSON.parse(Buffer.from(did.split('#')[0].split(':')[2], 'base64url').toString())
const didJwk = (jwk) => 'did:jwk:' + Buffer.from(JSON.stringify(jwk)).toString('base64url')

const secrets = new Map() // private keys by the thumbprint of the public one
const keep = async (jwk) => {
  secrets.set(await jose.calculateJwkThumbprint(jwk), await jose.importJWK(jwk, jwk.crv === 'P-256' ? 'ES256' : 'EdDSA'))
  const { d, ...open } = jwk
  return open
}
const newKey = async (alg) => {
  const pair = await jose.generateKeyPair(alg, { extractable: true })
  return keep(await jose.exportJWK(pair.privateKey))
}

async function publicJwk(signer) {
  if (signer.method === 'jwk') return signer.publicJwk
  if (signer.method === 'did') return jwkOfDid(signer.didUrl)
  return jose.exportJWK(await jose.importX509(certificate(signer.x5c[0]), signer.alg, { extractable: true }))
}

const callbacks = {
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  clientAuthentication: clientAuthenticationAnonymous(),
  fetch: () => { throw new Error('nothing is fetched here') },
  signJwt: async (signer, { header, payload }) => {
    const jwk = await publicJwk(signer)
    const key = secrets.get(await jose.calculateJwkThumbprint(jwk))
    return { jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(key), signerJwk: jwk }
  },
  verifyJwt: async (signer, { compact }) => {
    const jwk = await publicJwk(signer)
    await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg))
    return { verified: true, signerJwk: jwk }
  },
}

const server = new Oauth2AuthorizationServer({ callbacks })
const issuer = new Openid4vciIssuer({ callbacks })
const metadata = (job) => ({
  originalDraftVersion: 'V1',
  credentialIssuer: {
    credential_issuer: job.issuer, credential_endpoint: job.issuer + '/credential',
    credential_configurations_supported: {},
  },
  authorizationServers: [], knownCredentialConfigurations: {},
})

const TASKS = {
  async dpop(job) {
    const made = {}
    for (const algorithm of ['ES256', 'Ed25519']) {
      const pair = await dpop.generateKeyPair(algorithm)
      made[algorithm] = {
        proof: await dpop.generateProof(pair, job.url + '?query', job.method, job.nonce, job.token),
        jkt: await dpop.calculateThumbprint(pair.publicKey),
      }
    }
    const read = await server.verifyDpopJwt({
      dpopJwt: job.proof, request: { method: job.method, url: job.url, headers: new Headers() },
      expectedNonce: job.nonce, accessToken: job.token, now: new Date(job.now * 1000), allowedSigningAlgs: ['ES256'],
    })
    return { made, jkt: read.jwkThumbprint }
  },

  async proofs(job) {
    const now = new Date(job.now * 1000)
    const read = []
    for (const jwt of job.proofs) {
      const proof = await issuer.verifyCredentialRequestJwtProof({
        jwt, issuerMetadata: metadata(job), expectedNonce: job.nonce, now, clientId: job.client,
      })
      read.push(await jose.calculateJwkThumbprint(proof.signer.publicJwk))
    }
    return { read }
  },

  async makeProofs(job) {
    const now = new Date(job.now * 1000)
    const provider = { method: 'x5c', x5c: job.x5c, alg: 'ES256' }
    await keep(job.provider)
    const client = new Openid4vciClient({ callbacks })
    const supported = { proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256', 'EdDSA'] } } }
    const issuerMetadata = metadata(job)
    issuerMetadata.credentialIssuer.credential_configurations_supported = { one: supported }
    issuerMetadata.knownCredentialConfigurations = { one: supported }
    const prove = async (signer, keyAttestationJwt) => (await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: 'one', signer, nonce: job.nonce, issuedAt: now, clientId: job.client,
      keyAttestationJwt,
    })).jwt
    const [bare, named, edwards, attested, other] = [
      await newKey('ES256'), await newKey('ES256'), await newKey('EdDSA'), await newKey('ES256'), await newKey('ES256'),
    ]
    const attestation = await createKeyAttestationJwt({
      callbacks, signer: provider, attestedKeys: [attested, other], nonce: job.nonce, issuedAt: now,
      expiresAt: new Date(now.getTime() + 60000), use: 'proof_type.jwt', keyStorage: ['iso_18045_high'],
    })
    return {
      proofs: [
        await prove({ method: 'jwk', publicJwk: bare, alg: 'ES256' }),
        await prove({ method: 'did', didUrl: didJwk(named) + '#0', alg: 'ES256' }),
        await prove({ method: 'jwk', publicJwk: edwards, alg: 'EdDSA' }),
      ],
      dids: [didJwk(named)], jwks: [bare, edwards],
      attestation, attested: [attested, other],
      proofWithAttestation: await prove({ method: 'jwk', publicJwk: attested, alg: 'ES256' }, attestation),
    }
  },

  async client(job) {
    const now = new Date(job.now * 1000)
    const read = await server.verifyClientAttestation({
      authorizationServer: job.issuer, clientAttestationJwt: job.attestation, clientAttestationPopJwt: job.pop, now,
    })
    await keep(job.provider)
    const instance = await newKey('ES256')
    const attestation = await createClientAttestationJwt({
      callbacks, signer: { method: 'x5c', x5c: job.x5c, alg: 'ES256' }, issuer: 'https://wallets.example',
      clientId: 'wallet', confirmation: { jwk: instance }, issuedAt: new Date(), expiresAt: new Date(Date.now() + 60000),
    })
    const headers = new Headers()
    await clientAuthenticationClientAttestationJwt({ callbacks, clientAttestationJwt: attestation })({
      headers, authorizationServerMetadata: { issuer: job.issuer },
    })
    return {
      client: read.clientAttestation.payload.sub, attestation, pop: headers.get('OAuth-Client-Attestation-PoP'),
      jkt: await jose.calculateJwkThumbprint(instance),
    }
  },

  async jwe(job) {
    const pair = await jose.generateKeyPair('ECDH-ES', { crv: job.recipient.crv, extractable: true })
    const made = await new jose.CompactEncrypt(new TextEncoder().encode(job.text))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: job.enc, kid: job.recipient.kid })
      .encrypt(await jose.importJWK(job.recipient, 'ECDH-ES'))
    const read = await jose.compactDecrypt(job.message, await jose.importJWK(job.secret, 'ECDH-ES'))
    return { made, read: new TextDecoder().decode(read.plaintext), header: read.protectedHeader,
      another: await jose.exportJWK(pair.publicKey) }
  },

  async offers(job) {
    const client = new Openid4vciClient({ callbacks })
    const read = []
    for (const link of job.links) read.push(await client.resolveCredentialOffer(link))
    const made = await issuer.createCredentialOffer({
      issuerMetadata: { ...metadata(job), credentialIssuer: { ...metadata(job).credentialIssuer,
        credential_configurations_supported: { one: {} } } },
      credentialConfigurationIds: ['one'],
      grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code':
        { 'pre-authorized_code': 'a b+c&d', tx_code: { input_mode: 'text', length: 6, description: 'été' } } },
    })
    return { read, made: made.credentialOffer }
  },
}

const job = JSON.parse(readFileSync(0, 'utf8'))
console.log(JSON.stringify(await TASKS[job.task](job)))
