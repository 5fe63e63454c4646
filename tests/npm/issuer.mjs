// An issuer by another hand (@openid4vc): a pre-authorized code, refresh tokens, DPoP where the job says so, copies that
// wait and messages that are encrypted where the job says so. It reads one line of JSON, what to do, and prints {"offer": LINK}. For every request of
// credentials it prints {"sign": [DID, …]} and reads {"credentials": [...]}: what it gives is signed elsewhere.
import { createHash, ECDH, randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { Oauth2AuthorizationServer, Oauth2ResourceServer, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciIssuer, setGlobalConfig as setVciConfig } from '@openid4vc/openid4vci'
import {
  calculateJwkThumbprint, CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT,
} from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // http on this machine only
setVciConfig({ allowInsecureUrls: true })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\n', done))

const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const tokenKey = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'tokens' }

// A did:key of Ed25519 or P-256 is base58btc of two bytes and the key.
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const jwkOfDid = (did) => {
  if (did.startsWith('did:jwk:')) return JSON.parse(Buffer.from(did.split('#')[0].slice('did:jwk:'.length), 'base64url'))
  let number = 0n
  for (const letter of did.split('#')[0].slice('did:key:z'.length)) number = number * 58n + BigInt(ALPHABET.indexOf(letter))
  const hex = number.toString(16), bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  if (bytes[0] === 0x80 && bytes[1] === 0x24) {
    const point = ECDH.convertKey(bytes.subarray(2), 'prime256v1', undefined, undefined, 'uncompressed')
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
    return { kty: 'EC', crv: 'P-256', x, y }
  }
  return { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(2).toString('base64url') }
}
const jwkOf = (signer) => signer.method === 'jwk' ? signer.publicJwk : signer.method === 'did' ? jwkOfDid(signer.didUrl) : tokenKey

const callbacks = {
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  signJwt: async (signer, { header, payload }) =>
    ({ jwt: await new SignJWT(payload).setProtectedHeader(header).sign(privateKey), signerJwk: tokenKey }),
  verifyJwt: async (signer, { compact }) => {
    const jwk = jwkOf(signer)
    try {
      await jwtVerify(compact, await importJWK(jwk, signer.alg))
      return { verified: true, signerJwk: jwk }
    } catch { return { verified: false } }
  },
  clientAuthentication: () => {}, fetch,
}

const job = await read()
const server = createServer((request, response) => answer(request, response).catch(async (error) => {
  const body = error.errorResponse ?? { error: 'server_error', error_description: String(error.stack) }
  response.writeHead(error.status ?? 400, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}))
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const base = `http://127.0.0.1:${server.address().port}`

const sealing = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
const how = { enc_values_supported: ['A128GCM'], encryption_required: true }
const encryption = !job.encrypts ? {} : {
  credential_request_encryption: { jwks: { keys: [{ ...(await exportJWK(sealing.publicKey)), kid: 'a', alg: 'ECDH-ES' }] }, ...how },
  credential_response_encryption: { alg_values_supported: ['ECDH-ES'], ...how },
}
const issuer = new Openid4vciIssuer({ callbacks })
const authorization = new Oauth2AuthorizationServer({ callbacks })
const resources = new Oauth2ResourceServer({ callbacks })
const serverMetadata = authorization.createAuthorizationServerMetadata({
  issuer: base, token_endpoint: `${base}/token`, 'pre-authorized_grant_anonymous_access_supported': true,
  jwks_uri: `${base}/jwks`, ...(job.dpop ? { dpop_signing_alg_values_supported: job.dpop } : {}),
})
const metadata = issuer.createCredentialIssuerMetadata({
  credential_issuer: base, credential_endpoint: `${base}/credential`, ...(job.nonceless ? {} : { nonce_endpoint: `${base}/nonce` }),
  deferred_credential_endpoint: `${base}/deferred`, batch_credential_issuance: { batch_size: job.batch },
  credential_configurations_supported: { [job.configuration]: job.described }, ...encryption,
})
const known = { credentialIssuer: metadata, authorizationServers: [serverMetadata], originalDraftVersion: 'V1',
  knownCredentialConfigurations: issuer.getKnownCredentialConfigurationsSupported(metadata) }
const code = randomUUID(), nonces = new Set(), waiting = new Map()
let refresh = ''

async function token(request, form) {
  const parsed = authorization.parseAccessTokenRequest({ accessTokenRequest: form, request })
  const verify = { authorizationServerMetadata: serverMetadata, accessTokenRequest: parsed.accessTokenRequest, request,
    grant: parsed.grant, ...(job.dpop ? { dpop: { required: true, jwt: parsed.dpop?.jwt, allowedSigningAlgs: job.dpop } } : {}) }
  const verified = parsed.grant.grantType === 'refresh_token'
    ? await authorization.verifyRefreshTokenAccessTokenRequest({ ...verify, expectedRefreshToken: refresh })
    : await authorization.verifyPreAuthorizedCodeAccessTokenRequest({
        ...verify, expectedPreAuthorizedCode: code, ...(job.txCode ? { expectedTxCode: job.txCode } : {}),
      })
  refresh = randomUUID()
  return authorization.createAccessTokenResponse({
    audience: base, authorizationServer: base, expiresInSeconds: job.seconds, subject: 'worker', refreshToken: refresh,
    signer: { method: 'custom', alg: 'ES256', kid: 'tokens' }, ...(verified.dpop ? { dpop: verified.dpop } : {}),
  })
}

async function credential(body) {
  const asked = issuer.parseCredentialRequest({ issuerMetadata: known, credentialRequest: body })
  const holders = []
  for (const jwt of asked.proofs.jwt) {
    const { nonce } = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
    if (job.nonceless ? nonce !== undefined : !nonces.has(nonce)) throw new Error('not a nonce of mine')
    const proven = await issuer.verifyCredentialRequestJwtProof({
      issuerMetadata: known, jwt, ...(job.nonceless ? {} : { expectedNonce: nonce }),
    })
    holders.push(proven.header.kid?.split('#')[0] ?? proven.header.jwk)
  }
  if (job.waits) {
    const transactionId = randomUUID()
    waiting.set(transactionId, holders)
    return issuer.createCredentialResponse({ credentialRequest: asked, transactionId, interval: 5 })
  }
  return issuer.createCredentialResponse({ credentialRequest: asked, credentials: await signed(holders) })
}

async function signed(holders) {
  await write({ sign: holders })
  return (await read()).credentials.map((credential) => ({ credential }))
}

async function deferred(body) {
  const { deferredCredentialRequest } = issuer.parseDeferredCredentialRequest({ deferredCredentialRequest: body })
  const holders = waiting.get(deferredCredentialRequest.transaction_id)
  waiting.delete(deferredCredentialRequest.transaction_id)
  return issuer.createDeferredCredentialResponse({ credentials: await signed(holders) })
}

async function allowed(request) {
  const access = await resources.verifyResourceRequest({ authorizationServers: [serverMetadata], request, resourceServer: base })
  if (Boolean(access.dpop) !== Boolean(job.dpop)) throw new Error('another kind of token')
}

async function answer(message, response) {
  const chunks = []
  for await (const chunk of message) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString(), path = new URL(message.url, base).pathname
  const request = { url: base + path, method: message.method, headers: new Headers(message.headers) }
  const sealed = message.headers['content-type'] === 'application/jwt'
  const open = sealed ? Buffer.from((await compactDecrypt(text, sealing.privateKey)).plaintext).toString() : text
  const body = open.startsWith('{') ? JSON.parse(open) : Object.fromEntries(new URLSearchParams(open))
  const say = (value, status = 200) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  const seal = async (value, status = 200) => {
    if (!job.encrypts) return say(value, status)
    if (!sealed) throw new Error('not encrypted')
    const { jwk, enc } = body.credential_response_encryption
    const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(value)))
      .setProtectedHeader({ alg: jwk.alg, enc, kid: jwk.kid }).encrypt(await importJWK(jwk, jwk.alg))
    response.writeHead(status, { 'Content-Type': 'application/jwt' }).end(jwe)
  }
  switch (path) {
    case '/.well-known/openid-credential-issuer': return say(metadata)
    case '/.well-known/oauth-authorization-server': return say(serverMetadata)
    case '/jwks': return say({ keys: [tokenKey] })
    case '/token': return say(await token(request, body))
    case '/nonce': { const cNonce = randomUUID(); nonces.add(cNonce); return say(issuer.createNonceResponse({ cNonce })) }
    case '/credential': { await allowed(request); return seal(await credential(body), job.waits ? 202 : 200) }
    case '/deferred': { await allowed(request); return seal(await deferred(body)) }
    default: return say({ error: 'not_found' }, 404)
  }
}

const { credentialOffer } = await issuer.createCredentialOffer({
  issuerMetadata: known, credentialConfigurationIds: [job.configuration],
  grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': {
    'pre-authorized_code': code, ...(job.txCode ? { tx_code: { input_mode: 'numeric', length: 4 } } : {}),
  } },
})
await write({ offer: credentialOffer })
