// An issuer by another hand (@openid4vc): a pre-authorized code, refresh tokens, DPoP where the job says so, copies that
// wait where the job says so. It reads one line of JSON, what to do, and prints {"offer": LINK}. For every request of
// credentials it prints {"sign": [DID, …]} and reads {"credentials": [...]}: what it gives is signed elsewhere.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { Oauth2AuthorizationServer, Oauth2ResourceServer, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vciIssuer, setGlobalConfig as setVciConfig } from '@openid4vc/openid4vci'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose'

setGlobalConfig({ allowInsecureUrls: true }) // http on this machine only
setVciConfig({ allowInsecureUrls: true })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => new Promise((done) => process.stdout.write(JSON.stringify(value) + '\n', done))

const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const tokenKey = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'tokens' }

// A did:key of Ed25519 is base58btc of two bytes and the key.
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const jwkOfDidKey = (did) => {
  let number = 0n
  for (const letter of did.split('#')[0].slice('did:key:z'.length)) number = number * 58n + BigInt(ALPHABET.indexOf(letter))
  const bytes = Buffer.from(number.toString(16).padStart(68, '0'), 'hex')
  return { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(2).toString('base64url') }
}
const jwkOf = (signer) => signer.method === 'jwk' ? signer.publicJwk : signer.method === 'did' ? jwkOfDidKey(signer.didUrl) : tokenKey

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
  credential_configurations_supported: { [job.configuration]: job.described },
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
  const body = text.startsWith('{') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))
  const say = (value, status = 200) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  switch (path) {
    case '/.well-known/openid-credential-issuer': return say(metadata)
    case '/.well-known/oauth-authorization-server': return say(serverMetadata)
    case '/jwks': return say({ keys: [tokenKey] })
    case '/token': return say(await token(request, body))
    case '/nonce': { const cNonce = randomUUID(); nonces.add(cNonce); return say(issuer.createNonceResponse({ cNonce })) }
    case '/credential': { await allowed(request); return say(await credential(body), job.waits ? 202 : 200) }
    case '/deferred': { await allowed(request); return say(await deferred(body)) }
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
